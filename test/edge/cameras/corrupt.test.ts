import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, vi } from 'vitest';
import type { StreamAddress } from '#edge/cameras/open.ts';
import type { FailureReason } from '#edge/cameras/reason.ts';
import { FrameSource } from '#edge/cameras/source.ts';
import { MediaRing } from '#edge/media/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { until } from '#test/support/until.ts';
import { type Finish, ownDir, PASSWORD, PATH, paintedCamera, USERNAME } from './painted.ts';

vi.setConfig({ testTimeout: 120_000 });
const PATIENCE = { timeoutMs: 60_000 };

function watch(onTestFinished: Finish, address: StreamAddress, filesDir: string | null = null) {
  const watched = { frames: 0, failures: [] as FailureReason[] };
  const source: FrameSource = new FrameSource({
    address,
    timing: { fps: 4 },
    filesDir,
    format: { input: { width: 64, height: 64, letterbox: null }, fullWidthMax: 1280 },
    media: new MediaRing({ clock: systemClock }),
    log: silentLog,
    clock: systemClock,
    random: () => 0,
    onFrame: (frame) => {
      watched.frames++;
      source.release(frame);
    },
    onFailure: (reason) => watched.failures.push(reason),
  });
  onTestFinished(() => source.stop());
  return { source, watched };
}

test.concurrent('a stream with flipped bits goes on, or is opened anew, and is whole again when they end', async ({
  expect,
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const shared = { id: 'cam-01', username: USERNAME, password: PASSWORD, allowLocalAddress: true, transport: 'tcp' } as const;
  const { source, watched } = watch(onTestFinished, { ...shared, url: painted.url });
  await source.start();
  await until(() => watched.frames >= 2, PATIENCE);
  painted.server.setFault(PATH, { kind: 'corrupt', probability: 0.5 });
  const spoilt = watched.frames;
  await until(() => watched.frames >= spoilt + 8 || watched.failures.length > 0, PATIENCE);
  painted.server.setFault(PATH, null);
  const after = watched.frames;
  await until(() => watched.frames >= after + 4, PATIENCE);
  expect(watched.frames).toBeGreaterThan(after);
});

test.concurrent('a recording that is cut off or is garbage is a failure by name, again and again, and nothing else', async ({
  expect,
  onTestFinished,
}) => {
  const dir = await ownDir(onTestFinished);
  const whole = join(dir, 'whole.mp4');
  const source = ['-f', 'lavfi', '-i', 'testsrc=s=320x180:r=10', '-frames:v', '40', '-c:v', 'libx264', whole];
  execFileSync('ffmpeg', ['-v', 'error', ...source]);
  const bytes = readFileSync(whole);
  writeFileSync(join(dir, 'cut.mp4'), bytes.subarray(0, bytes.length / 2));
  writeFileSync(join(dir, 'garbage.mp4'), randomBytes(50_000));
  for (const file of ['cut.mp4', 'garbage.mp4']) {
    const { source, watched } = watch(onTestFinished, { id: 'cam-01', file, transport: 'tcp' }, dir);
    await source.start();
    await until(() => watched.failures.length >= 2, PATIENCE);
    expect(new Set(watched.failures)).toEqual(new Set(['failed']));
    await source.stop();
  }
});
