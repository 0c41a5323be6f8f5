import { execFile } from 'node:child_process';
import { appendFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../support/temp.ts';

const GEWU = join(import.meta.dirname, '../../gewu');

/** Runs the command line as a user does. */
function gewu(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(GEWU, args, { timeout: 30_000 }, (error, stdout, stderr) =>
      // One that was killed for its time has no code of its own.
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

test('init writes files that are valid, private, and never overwritten', async () => {
  const dir = join(await tempDir(), 'city');
  const { code, stdout } = await gewu('init', dir);
  expect(code).toBe(0);
  expect(stdout).toContain('token of the account ops: gewu_');
  const files = (await readdir(dir)).sort();
  expect(files).toEqual([
    'edge-01.site.yaml',
    'edge-01.yaml',
    'edge-02.site.yaml',
    'edge-02.yaml',
    'ingest.yaml',
    'simulate.yaml',
  ]);
  for (const file of files) {
    expect((await gewu('validate', join(dir, file))).code).toBe(0);
    expect((await stat(join(dir, file))).mode & 0o077).toBe(0);
  }
  expect((await gewu('init', dir)).code).toBe(2);
}, 180_000);

test('validate names key and value of every mistake, with status 2 and nothing on stdout', async () => {
  const dir = join(await tempDir(), 'city');
  await gewu('init', dir);
  const file = join(dir, 'edge-01.yaml');
  await appendFile(file, 'bogus: 7\nprobes: { port: many }\n');
  const { code, stdout, stderr } = await gewu('validate', file);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('GEWU_CONFIG_INVALID');
  expect(stderr).toContain('bogus: 7');
  expect(stderr).toContain('probes.port: "many"');
});

test('the doctor says what is wrong and how to mend it', async () => {
  const dir = join(await tempDir(), 'city');
  await gewu('init', dir);
  const { code, stdout } = await gewu('doctor', '--json', join(dir, 'edge-01.yaml'));
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: { what: string; ok: boolean; mend?: string }[] };
  expect([code, ok]).toEqual([1, false]);
  const broker = findings.find((f) => f.what.startsWith("the centre's broker"));
  expect(broker?.ok).toBe(false);
  expect(broker?.mend).toMatch(/Start it/);
  expect(findings.find((f) => f.what === 'ffmpeg')?.ok).toBe(true);
});

test('wrong use is told with a code, a hint and status 2', async () => {
  for (const args of [
    ['nonsense'],
    ['edge'],
    ['demo', '--for', 'long'],
    ['demo', '--with', 'oracle'],
    ['validate', '/nowhere.yaml'],
  ]) {
    const { code, stdout, stderr } = await gewu(...args);
    expect([args, code, stdout]).toEqual([args, 2, '']);
    expect(stderr).toMatch(/GEWU_[A-Z_]+: .*\n {2}-> /s);
  }
  expect((await gewu('help')).stdout).toContain('gewu help COMMAND');
  expect((await gewu('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
}, 60_000);
