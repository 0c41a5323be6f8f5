import { readFile } from 'node:fs/promises';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { GewuError } from './errors.ts';

/** One mistake in a configuration: where, what stands there, what should. */
export interface ConfigMistake {
  key: string;
  value: unknown;
  message: string;
}

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
  if (!check.Check(filled)) throw new ConfigError(file, schemaMistakes(check, filled));
  const config = filled as Static<S>;
  const more = extra?.(config) ?? [];
  if (more.length > 0) throw new ConfigError(file, more);
  return config;
}

const MISTAKES_MAX = 100;

/** Key and value of what breaks a schema; `check` has said that something does. */
export function schemaMistakes(check: { Errors(value: unknown): Iterable<SchemaError> }, value: unknown): ConfigMistake[] {
  // `additionalProperties` names an unknown key; the 'boolean' error beside it says the same again.
  const all = [...check.Errors(value)].filter((e) => e.keyword !== 'boolean');
  // Of something that may also be null, what is wrong inside of it says more than that it is not null.
  const inside = (e: SchemaError) => all.some((other) => other.instancePath.startsWith(`${e.instancePath}/`));
  const errors = all.filter((e) => !((e.keyword === 'anyOf' || e.message === 'must be null') && inside(e)));
  return dedupe(errors.slice(0, MISTAKES_MAX).flatMap((e) => toMistakes(value, e)));
}

/** A file of another version is not a file full of mistakes. A file without one is checked as it is. */
function checkVersion(file: string, schema: TSchema, input: unknown): void {
  const { properties } = schema as { properties?: { version?: { const?: unknown } } };
  const wanted = properties?.version?.const;
  const given = typeof input === 'object' && input !== null && 'version' in input ? input.version : undefined;
  if (wanted === undefined || typeof given !== 'number' || given === wanted) return;
  throw new GewuError('GEWU_CONFIG_VERSION', `${file}: version ${given}; this Gewu reads version ${wanted}`);
}

interface SchemaError {
  keyword: string;
  instancePath: string;
  message: string;
  params: unknown;
}

function toMistakes(root: unknown, error: SchemaError): ConfigMistake[] {
  const at = (extra?: string) => {
    const pointer = extra === undefined ? error.instancePath : `${error.instancePath}/${extra}`;
    return { key: pointer.replace(/^\//, '').replaceAll('/', '.') || '(root)', value: valueAt(root, pointer) };
  };
  const params = (error.params ?? {}) as { additionalProperties?: string[]; requiredProperties?: string[] };
  if (error.keyword === 'additionalProperties' && params.additionalProperties)
    return params.additionalProperties.map((k) => ({ ...at(k), message: 'unknown key' }));
  if (error.keyword === 'required' && params.requiredProperties)
    return params.requiredProperties.map((k) => ({ ...at(k), message: 'is required' }));
  return [{ ...at(), message: error.message }];
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return value;
}

function dedupe(mistakes: ConfigMistake[]): ConfigMistake[] {
  const seen = new Set<string>();
  return mistakes.filter((m) => {
    const id = `${m.key}|${m.message}`;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
