import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FrameSource } from '#edge/cameras/source.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { until } from '#test/support/until.ts';
import { ownDir } from './painted.ts';

const STALL_MS = 1500;
const PATIENCE = { timeoutMs: 40_000 };

test('a node that stands still itself takes no camera for stalled', { timeout: 60_000 }, async ({ onTestFinished }) => {
  const dir = await ownDir(onTestFinished);
  const film = ['-f', 'lavfi', '-i', 'testsrc=s=320x180:r=10', '-frames:v', '40', '-c:v', 'libx264', join(dir, 'loop.mp4')];
  execFileSync('ffmpeg', ['-v', 'error', ...film]);
  const [seen, failures] = [[] as number[], [] as string[]];
  const source: FrameSource = new FrameSource({
    address: { id: 'cam-01', file: 'loop.mp4', transport: 'tcp' },
    timing: { fps: 4 },
    filesDir: dir,
    format: { input: { width: 64, height: 64, letterbox: null }, fullWidthMax: 1280 },
    stallMsMax: STALL_MS,
    onFrame: (frame) => {
      seen.push(frame.ms);
      source.release(frame);
    },
    onFailure: (reason) => failures.push(reason),
    log: silentLog,
    clock: systemClock,
  });
  onTestFinished(() => source.stop());
  await source.start();
  await until(() => seen.length >= 2, PATIENCE);
  const { pid } = source;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * STALL_MS);
  const before = seen.length;
  await until(() => seen.length >= before + 2, PATIENCE);
  expect(failures).toEqual([]);
  expect(source.pid).toBe(pid);
});
