import { mkdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { GewuError } from '#service/mod.ts';

/** One command of the line: flags in, a composition root called, text or JSON out. */
export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** Shown by `gewu help NAME`. */
  usage: string;
  /** Resolves to the exit status: 0 passed, 1 a threshold missed or a fault, 2 wrong use. */
  run(args: readonly string[]): Promise<number>;
}

/** `parseArgs` whose complaints are GEWU_USAGE. */
export function parseFlags<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
  positionalsMax = 0,
) {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: positionalsMax > 0, strict: true });
    if (parsed.positionals.length > positionalsMax) throw new Error(`too many arguments: ${parsed.positionals.join(' ')}`);
    return parsed;
  } catch (error) {
    throw new GewuError('GEWU_USAGE', (error as Error).message, { cause: error });
  }
}

/** `90`, `90s`, `5m`, `1h` in seconds. */
export function parseDurationS(text: string): number {
  const m = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text);
  const seconds = m ? Number(m[1]) * { s: 1, m: 60, h: 3600 }[(m[2] ?? 's') as 's' | 'm' | 'h'] : Number.NaN;
  if (!(seconds > 0)) throw new GewuError('GEWU_USAGE', `not a duration: ${text} (like 90s, 5m, 1h)`);
  return seconds;
}

export function parseInteger(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max)
    throw new GewuError('GEWU_USAGE', `--${name} ${text}: a whole number from ${min} to ${max} is wanted`);
  return value;
}

/** The folder of a flag, made with those above it where they are missing; absolute. Throws GEWU_USAGE. */
export async function madeDir(name: string, dir: string): Promise<string> {
  const path = resolve(dir);
  await makeDirs(path).catch((cause: Error) => {
    throw new GewuError('GEWU_USAGE', `--${name} ${dir}: ${cause.message}`, { cause });
  });
  return path;
}

/** As `mkdir -p`; Node's own `recursive` never ends below /proc, where a folder is missing and cannot be made. */
async function makeDirs(path: string): Promise<void> {
  const failure = await mkdir(path).catch((error: NodeJS.ErrnoException) => error);
  if (!(failure instanceof Error)) return;
  if (failure.code === 'ENOENT' && dirname(path) !== path) {
    await makeDirs(dirname(path));
    await mkdir(path);
  } else if (failure.code !== 'EEXIST') throw failure;
}

/** From the file, or from GEWU_TOKEN: among the arguments it would be seen by everybody on the machine. */
export async function readToken(file: string | undefined): Promise<string> {
  const unreadable = (cause: Error): never => {
    throw new GewuError('GEWU_USAGE', cause.message, { cause });
  };
  const token = file === undefined ? process.env.GEWU_TOKEN : (await readFile(file, 'utf8').catch(unreadable)).trim();
  if (!token) throw new GewuError('GEWU_USAGE', 'a token is needed: --token-file FILE, or GEWU_TOKEN in the environment');
  return token;
}

/** For people, on stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A result, on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
