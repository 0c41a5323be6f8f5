import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

/** Processes of a folder, by what they were started with. */
async function processesOf(dir: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const lines = await Promise.all(
    pids.map(async (pid) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })),
  );
  return lines.filter(({ line }) => line.includes(dir)).map(({ pid }) => pid);
}

test('a bench that is interrupted leaves no server and no folder behind', async () => {
  const TMPDIR = await tempDir();
  const bench = spawn(process.execPath, [MAIN, 'bench', 'ingest', '--short'], {
    env: { ...process.env, TMPDIR },
    stdio: 'ignore',
  });
  onTestFinished(() => void bench.kill('SIGKILL'));
  const others = async () => (await processesOf(TMPDIR)).filter((pid) => pid !== bench.pid);
  await until(async () => (await others()).length > 0, { timeoutMs: 40_000 });
  bench.kill('SIGINT');
  const [status] = await once(bench, 'exit');
  expect(status).toBe(130);
  await until(async () => (await others()).length === 0);
  expect((await readdir(TMPDIR)).filter((name) => name.startsWith('gewu-bench'))).toEqual([]);
});
