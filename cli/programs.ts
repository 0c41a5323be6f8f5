import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { GewuError } from '#service/mod.ts';
import { say } from './command.ts';

/** Programs that are not npm packages, and the Debian package that brings each. */
export const PROGRAMS = {
  ffmpeg: { package: 'ffmpeg', find: () => inPath('ffmpeg') },
  influxd: { package: 'influxdb', find: () => inPath('influxd') },
  postgres: { package: 'postgresql-15', find: anyPostgres },
  mosquitto: { package: 'mosquitto', find: () => inPath('mosquitto', ['/usr/sbin']) },
  /** Makes throw-away certificates in tests. */
  openssl: { package: 'openssl', find: () => inPath('openssl') },
  /** Shows in tests that nothing is acknowledged before its sync. */
  strace: { package: 'strace', find: () => inPath('strace') },
  /** What training needs of Python. */
  torch: { package: 'python3-torch', find: () => inPython('torch') },
  pillow: { package: 'python3-pil', find: () => inPython('PIL') },
  onnx: { package: 'python3-onnx', find: () => inPython('onnx') },
  /** Drives the console in tests. */
  chromium: { package: 'chromium', find: () => inPath('chromium') },
  /** For the Chinese text in evidence; without it the text is English. */
  chineseFont: { package: 'fonts-wqy-zenhei', find: async () => (await import('#edge/mod.ts')).chineseFont() },
} as const;
export type Program = keyof typeof PROGRAMS;

async function inPath(name: string, more: readonly string[] = []): Promise<string | null> {
  for (const dir of [...(process.env.PATH ?? '').split(delimiter), ...more]) {
    const file = join(dir, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return null;
}

/** The Python that Debian's packages belong to; another one may be first in the path. */
export const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';

/** Where a Python module would be imported from; asked without importing it, which takes seconds. */
async function inPython(module: string): Promise<string | null> {
  const ask = `import importlib.util as u; s = u.find_spec(${JSON.stringify(module)}); print(s.origin or '' if s else '')`;
  return promisify(execFile)(PYTHON, ['-c', ask], { timeout: 20_000 }).then(
    ({ stdout }) => stdout.trim() || null,
    () => null,
  );
}

async function anyPostgres(): Promise<string | null> {
  for (const version of await readdir('/usr/lib/postgresql').catch(() => [])) {
    const file = await inPath('postgres', [`/usr/lib/postgresql/${version}/bin`]);
    if (file) return file;
  }
  return null;
}

export async function missingPrograms(wanted: readonly Program[]): Promise<Program[]> {
  const found = await Promise.all(wanted.map((p) => PROGRAMS[p].find()));
  return wanted.filter((_, i) => found[i] === null);
}

/** What one can do without: installed when that is possible, passed over when not. */
const OPTIONAL: ReadonlySet<Program> = new Set(['chineseFont']);

/**
 * Installs what is missing from Debian's packages where it may (root and apt-get), saying so on stderr.
 * Throws GEWU_MISSING_PROGRAM with the package names otherwise.
 */
export async function ensurePrograms(wanted: readonly Program[]): Promise<void> {
  const missing = await missingPrograms(wanted);
  if (missing.length === 0) return;
  const needed = missing.filter((p) => !OPTIONAL.has(p));
  const mayInstall = process.getuid?.() === 0 && (await inPath('apt-get')) !== null;
  if (needed.length === 0 && !mayInstall) return;
  const packages = missing.map((p) => PROGRAMS[p].package);
  const byHand = `apt-get install ${packages.join(' ')}`;
  if (!mayInstall)
    throw new GewuError(
      'GEWU_MISSING_PROGRAM',
      `${missing.join(', ')}: not installed, and only root may install it. Run: sudo ${byHand}`,
    );
  say(`gewu: installing ${packages.join(', ')} from Debian's packages ...`);
  await apt(['update', '-qq'])
    .then(() => apt(['install', '-y', '-qq', '--no-install-recommends', ...packages]))
    .catch((error: unknown) => {
      if (needed.length > 0) throw error;
    });
  const still = await missingPrograms(needed);
  if (still.length > 0) throw new GewuError('GEWU_MISSING_PROGRAM', `${still.join(', ')}: still missing after ${byHand}`);
  say(`gewu: ${packages.join(', ')} installed`);
}

async function apt(args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn('apt-get', args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + chunk).slice(-4000)));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new GewuError('GEWU_MISSING_PROGRAM', `apt-get ${args.join(' ')} ended with ${code}:\n${output}`);
}

/** First line of `program args`, for the doctor. */
export async function versionOf(file: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(file, args, { timeout: 10_000 });
  return (stdout || stderr).split('\n')[0] ?? '';
}
