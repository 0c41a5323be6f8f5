import { readFile } from 'node:fs/promises';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { GewuError } from './errors.ts';
import { type ConfigMistake, schemaMistakes } from './mistakes.ts';

export class ConfigError extends GewuError {
  readonly mistakes: readonly ConfigMistake[];
  constructor(file: string, mistakes: readonly ConfigMistake[]) {
    const list = mistakes.map((m) => `  ${m.key}: ${show(m.value)}: ${m.message}`).join('\n');
    super('GEWU_CONFIG_INVALID', `${file}: ${mistakes.length} mistake(s)\n${list}`);
    this.mistakes = mistakes;
  }
}

function show(value: unknown): string {
  const text = value === undefined ? '(missing)' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Reads YAML (or JSON, its subset). Throws GEWU_CONFIG_UNREADABLE. */
export async function readConfigFile(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'), { maxAliasCount: 100 });
  } catch (error) {
    throw new GewuError('GEWU_CONFIG_UNREADABLE', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Fills defaults and checks against a closed schema: an unknown key is a mistake too.
 * `extra` adds checks that a schema cannot say (references, geometry).
 */
export function checkConfig<S extends TSchema>(
  file: string,
  schema: S,
  input: unknown,
  extra?: (config: Static<S>) => ConfigMistake[],
): Static<S> {
  checkVersion(file, schema, input);
  const filled = Value.Default(schema, structuredClone(input));
  const check = Compile(schema);
  if (!check.Check(filled)) throw new ConfigError(file, schemaMistakes(check, filled, { filled: true }));
  const config = filled as Static<S>;
  const more = extra?.(config) ?? [];
  if (more.length > 0) throw new ConfigError(file, more);
  return config;
}

/** A file of another version is not a file full of mistakes. A file without one is checked as it is. */
function checkVersion(file: string, schema: TSchema, input: unknown): void {
  const { properties } = schema as { properties?: { version?: { const?: unknown } } };
  const wanted = properties?.version?.const;
  const given = typeof input === 'object' && input !== null && 'version' in input ? input.version : undefined;
  if (wanted === undefined || typeof given !== 'number' || given === wanted) return;
  throw new GewuError('GEWU_CONFIG_VERSION', `${file}: version ${given}; this Gewu reads version ${wanted}`);
}
