import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, vi } from 'vitest';
import { MainStream } from '#edge/cameras/main_stream.ts';
import type { StreamAddress } from '#edge/cameras/open.ts';
import type { FailureReason } from '#edge/cameras/reason.ts';
import { FrameSource, STALL_MS_MIN } from '#edge/cameras/source.ts';
import { MediaRing } from '#edge/media/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { until } from '#test/support/until.ts';
import { codedCameras, codedLoop } from './coded.ts';
import { type Finish, ownDir, PASSWORD, PATH, paintedCamera, USERNAME } from './painted.ts';

vi.setConfig({ testTimeout: 120_000 });
const PATIENCE = { timeoutMs: 60_000 };

function watch(onTestFinished: Finish, address: StreamAddress, filesDir: string | null = null, stallMsMax = STALL_MS_MIN) {
  const watched = { frames: 0, failures: [] as FailureReason[] };
  const media = new MediaRing({ clock: systemClock });
  const source: FrameSource = new FrameSource({
    address,
    timing: { fps: 4 },
    filesDir,
    format: { input: { width: 64, height: 64, letterbox: null }, fullWidthMax: 1280 },
    media,
    log: silentLog,
    clock: systemClock,
    random: () => 0,
    stallMsMax,
    onFrame: (frame) => {
      watched.frames++;
      source.release(frame);
    },
    onFailure: (reason) => watched.failures.push(reason),
  });
  onTestFinished(() => source.stop());
  return { source, watched, media };
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

test.concurrent('a stream that becomes another in the middle has another init, and the ring never holds both', async ({
  expect,
  onTestFinished,
}) => {
  const [before, after] = [codedLoop('h264'), codedLoop('h264', { widthPx: 160, heightPx: 96 })];
  const { urls, play } = await codedCameras(onTestFinished, [before, before]);
  const of = (n: number) => ({
    ...{ id: `cam-${n}`, username: USERNAME, password: PASSWORD, allowLocalAddress: true, transport: 'tcp' as const },
    url: urls[n] as string,
  });
  // So long that a busy machine is not taken for a stall; the main stream has its own limit, and begins anew by it there.
  const { source, watched, media } = watch(onTestFinished, of(0), null, 60_000);
  const [ring, failures] = [new MediaRing({ clock: systemClock }), [] as FailureReason[]];
  const onFailure = (reason: FailureReason) => failures.push(reason);
  const main = new MainStream({ address: of(1), filesDir: null, ring, onFailure, log: silentLog, clock: systemClock });
  onTestFinished(() => main.stop());
  await Promise.all([source.start(), main.start()]);
  for (const [n, one] of [media, ring].entries()) {
    const heard: string[] = [];
    await until(() => one.since(0).length >= 4, PATIENCE);
    one.subscribe({
      init: ({ widthPx }) => heard.push(`init ${widthPx}`),
      fragment: () => heard.push('fragment'),
      ended: (reason) => heard.push(reason),
    });
    play(n, after);
    await until(() => one.init?.widthPx === 160 && one.since(0).length >= 4, PATIENCE);
    const told = heard.filter((what) => !['fragment', 'stalled'].includes(what));
    expect(told).toEqual(n === 0 || told.includes('changed') ? ['init 320', 'changed', 'init 160'] : ['init 320', 'init 160']);
    const clip = Buffer.concat([one.init?.bytes ?? Buffer.alloc(0), ...one.since(0).map(({ bytes }) => bytes)]);
    expect(new Set(sizesOf(clip))).toEqual(new Set(['160,96']));
  }
  expect(watched.failures).toEqual(['changed']);
});

/** Of the pictures of an MP4. */
function sizesOf(clip: Buffer): string[] {
  const wanted = ['-show_entries', 'frame=width,height', '-of', 'csv=p=0'];
  const told = execFileSync('ffprobe', ['-v', 'error', ...wanted, '-'], { input: clip, encoding: 'utf8' });
  return [...told.matchAll(/\d+,\d+/g)].map(([size]) => size);
}

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
    await until(() => watched.failures.filter((reason) => reason === 'failed').length >= 2, PATIENCE);
    // A busy machine may need longer than the first sign is waited for.
    expect(watched.failures.filter((reason) => reason !== 'stalled')).toEqual(['failed', 'failed']);
    await source.stop();
  }
});
