import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test, vi } from 'vitest';
import type { CameraAddress } from '#edge/cameras/address.ts';
import type { StreamAddress } from '#edge/cameras/open.ts';
import type { FailureReason } from '#edge/cameras/reason.ts';
import { type Frame, FrameSource, stallMs, type Timing } from '#edge/cameras/source.ts';
import { MediaRing } from '#edge/media/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { until } from '#test/support/until.ts';
import { codedCameras, codedLoop, h265Camera } from './coded.ts';
import { type Finish, HEIGHT_PX, ownDir, PASSWORD, PATH, paintedCamera, USERNAME, WIDTH_PX } from './painted.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 90_000 });

/** The simulated cameras' encoder makes one a second. */
const KEY_FRAME_S = 1;
const input = { width: 320, height: 320, letterbox: { pad: 114 } };

interface Watched {
  source: FrameSource;
  media: MediaRing;
  frames: { mean: number; pad: number; widthPx: number; heightPx: number; fullMean: number; ms: number }[];
  failures: FailureReason[];
}

type Changes = Partial<CameraAddress & Timing & { transport: 'tcp' | 'udp'; stallMsMax: number }>;

function watch(onTestFinished: Finish, url: string, { fps = 4, keyFrameEveryS, stallMsMax, ...more }: Changes = {}): Watched {
  const shared = { id: 'cam-01', username: USERNAME, password: PASSWORD, allowLocalAddress: true, transport: 'tcp' } as const;
  return watchStream(onTestFinished, { ...shared, url, ...more }, { fps, keyFrameEveryS, stallMsMax });
}

function watchStream(
  onTestFinished: Finish,
  address: StreamAddress,
  { stallMsMax, ...timing }: Timing & { stallMsMax?: number | undefined },
  filesDir?: string,
): Watched {
  const media = new MediaRing({ clock: systemClock });
  const watched: Omit<Watched, 'source'> = { media, frames: [], failures: [] };
  const source: FrameSource = new FrameSource({
    address,
    timing,
    filesDir,
    format: { input, fullWidthMax: 1280 },
    media,
    log: silentLog,
    clock: systemClock,
    random: () => 0,
    ...(stallMsMax === undefined ? {} : { stallMsMax }),
    onFrame: (frame) => {
      watched.frames.push(look(frame));
      source.release(frame);
    },
    onFailure: (reason) => watched.failures.push(reason),
  });
  onTestFinished(() => source.stop());
  return { source, ...watched };
}

function look({ input: bytes, full, ms }: Frame): Watched['frames'][number] {
  const pixels = new Uint8Array(bytes);
  const mean = (list: Uint8Array): number => list.reduce((sum, v) => sum + v, 0) / list.length;
  const row = 320 * 3;
  return {
    mean: mean(pixels.subarray(row * 100, row * 220)),
    pad: mean(pixels.subarray(0, row * 69)),
    widthPx: full.widthPx,
    heightPx: full.heightPx,
    fullMean: mean(full.rgb),
    ms,
  };
}

/** Answers every description with an address to go to. */
async function redirectingCamera(onTestFinished: Finish, location: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (request: Buffer) => {
      const number = /CSeq: *(\d+)/i.exec(request.toString('latin1'))?.[1];
      const isQuestion = request.toString('latin1').startsWith('OPTIONS');
      const answer = isQuestion ? 'RTSP/1.0 200 OK' : `RTSP/1.0 302 Moved\r\nLocation: ${location}`;
      socket.write(`${answer}\r\nCSeq: ${number}\r\n\r\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/cam`;
}

/** The grey values of all pictures of a clip; an error in it fails. */
async function decoded(clip: Buffer): Promise<Buffer> {
  const list = ['-v', 'error', '-xerror', '-f', 'mp4', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
  const child = spawn('ffmpeg', list, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(clip);
  return buffer(child.stdout);
}

test.concurrent('pictures of a digest-protected camera come in pairs at the wanted rate, letterboxed on the grey of the manifest', async ({
  expect,
  onTestFinished,
}) => {
  const camera = await paintedCamera(onTestFinished);
  const { source, frames } = watch(onTestFinished, camera.url);
  await source.start();
  await until(() => frames.length >= 6, { timeoutMs: 40_000 });
  for (const frame of frames) {
    expect(frame).toMatchObject({ pad: 114, widthPx: WIDTH_PX, heightPx: HEIGHT_PX });
    expect(Math.abs(frame.mean - 200)).toBeLessThan(6);
    expect(Math.abs(frame.fullMean - frame.mean)).toBeLessThan(3);
  }
  const [first, last] = [frames[1], frames[5]];
  const fps = 4000 / ((last?.ms ?? 0) - (first?.ms ?? 0));
  // Not faster than wanted; a busy machine may be slower.
  expect(fps).toBeLessThan(6);
});

test.concurrent('a camera that sends datagrams', async ({ expect, onTestFinished }) => {
  const camera = await paintedCamera(onTestFinished);
  const { source, frames, failures } = watch(onTestFinished, camera.url, { transport: 'udp' });
  await source.start();
  await until(() => frames.length >= 6, { timeoutMs: 40_000 });
  expect(failures).toEqual([]);
  expect(Math.abs((frames[5]?.mean ?? 0) - 200)).toBeLessThan(6);
});

test.concurrent('a camera that codes in H.265, over the connection and by datagrams', async ({ expect, onTestFinished }) => {
  const { url } = await h265Camera(onTestFinished);
  const both = [watch(onTestFinished, url), watch(onTestFinished, url, { transport: 'udp' })];
  await Promise.all(both.map(({ source }) => source.start()));
  await until(() => both.every(({ frames }) => frames.length >= 6), { timeoutMs: 40_000 });
  for (const { frames, failures } of both) {
    expect(failures).toEqual([]);
    for (const { mean, widthPx } of frames) expect([Math.round(mean / 10), widthPx]).toEqual([20, WIDTH_PX]);
  }
});

test.concurrent('beside the pictures comes the stream itself, which plays from any key picture on', async ({
  expect,
  onTestFinished,
}) => {
  const [h264, h265] = [await paintedCamera(onTestFinished), await h265Camera(onTestFinished)];
  const codecs = [/^avc1\./, /^hev1\./];
  const all = [watch(onTestFinished, h264.url), watch(onTestFinished, h265.url, { keyFrameEveryS: 1 })];
  await Promise.all(all.map(({ source }) => source.start()));
  for (const [n, { media, frames, failures }] of all.entries()) {
    await until(() => media.since(0).length >= 12 && frames.length > 0, { timeoutMs: 40_000 });
    expect(media.init).toMatchObject({ widthPx: WIDTH_PX, heightPx: HEIGHT_PX });
    expect(media.init?.codec).toMatch(codecs[n] as RegExp);
    const newest = media.since(systemClock.monotonic());
    expect(newest[0]?.key).toBe(true);
    const clip = Buffer.concat([media.init?.bytes ?? Buffer.alloc(0), ...newest.map(({ bytes }) => bytes)]);
    const grey = await decoded(clip);
    expect(grey.length / (WIDTH_PX * HEIGHT_PX)).toBeGreaterThanOrEqual(newest.length);
    expect(Math.abs(grey.reduce((sum, v) => sum + v, 0) / grey.length - 200)).toBeLessThan(10);
    expect(failures).toEqual([]);
  }
});

test.concurrent('a stream may be silent for four seconds, or for three key frames where only these are decoded', ({ expect }) => {
  expect(stallMs({ fps: 15 })).toBe(4000);
  expect(stallMs({ fps: 15, keyFrameEveryS: KEY_FRAME_S })).toBe(4000);
  expect(stallMs({ fps: 15, keyFrameEveryS: 2 })).toBe(6000);
});

test.concurrent('in key-frame mode pictures come as key frames do', async ({ expect, onTestFinished }) => {
  const camera = await paintedCamera(onTestFinished, { fps: 15 });
  // The painter leaves out pictures on a busy machine, and a key frame is the fifteenth that it paints.
  const timing = { fps: 15, keyFrameEveryS: KEY_FRAME_S, stallMsMax: 20_000 };
  const { source, frames, failures } = watch(onTestFinished, camera.url, timing);
  await source.start();
  await until(() => frames.length >= 5, { timeoutMs: 40_000 });
  const [first, last] = [frames[1], frames[4]];
  expect(((last?.ms ?? 0) - (first?.ms ?? 0)) / 3000).toBeGreaterThan(0.7 * KEY_FRAME_S);
  expect(failures).toEqual([]);
});

test.concurrent('a camera that freezes in key-frame mode is stalled after three intervals of its key frames, and not before', async ({
  expect,
  onTestFinished,
}) => {
  const everyS = 1.6;
  const pictures = 10 * everyS;
  const cameras = await codedCameras(onTestFinished, [codedLoop('h264', { pictures, keyEvery: pictures })]);
  const { source, frames, failures } = watch(onTestFinished, cameras.urls[0] as string, { fps: 15, keyFrameEveryS: everyS });
  await source.start();
  await until(() => frames.length >= 3, { timeoutMs: 40_000 });
  const [before, last] = [frames.at(-2)?.ms ?? 0, frames.at(-1)?.ms ?? 0];
  // Nothing but key frames is a sign of life: there is none for a whole interval while the stream goes on.
  expect(last - before).toBeGreaterThan(900 * everyS);
  expect(failures).toEqual([]);
  cameras.setFault(0, { kind: 'freeze' });
  await until(() => failures.length > 0, { timeoutMs: 40_000 });
  const silentMs = systemClock.monotonic() - (frames.at(-1)?.ms ?? 0);
  expect(failures).toEqual(['stalled']);
  expect(silentMs).toBeGreaterThan(3000 * everyS - 1);
  // The watchdog looks every quarter of a second; the rest is for a busy machine.
  expect(silentMs).toBeLessThan(3000 * everyS + 5000);
  cameras.setFault(0, null);
  const gone = frames.length;
  await until(() => frames.length > gone, { timeoutMs: 40_000 });
});

test.concurrent('an ffmpeg that hangs is killed and a new one brings pictures again', async ({ expect, onTestFinished }) => {
  const camera = await paintedCamera(onTestFinished);
  const { source, frames, failures } = watch(onTestFinished, camera.url, { stallMsMax: 1500 });
  await source.start();
  await until(() => frames.length >= 2, { timeoutMs: 40_000 });
  const pid = source.pid as number;
  process.kill(pid, 'SIGSTOP');
  await until(() => failures.length > 0, { timeoutMs: 40_000 });
  expect(failures).toEqual(['stalled']);
  const before = frames.length;
  await until(() => frames.length > before, { timeoutMs: 40_000 });
  expect(source.pid).not.toBe(pid);
  expect(() => process.kill(pid, 0)).toThrow();
});

test.concurrent('a camera that cuts the connection is a disconnect, and comes back by itself', async ({
  expect,
  onTestFinished,
}) => {
  const camera = await paintedCamera(onTestFinished);
  const { source, frames, failures } = watch(onTestFinished, camera.url);
  await source.start();
  await until(() => frames.length >= 2, { timeoutMs: 40_000 });
  camera.server.setFault(PATH, { kind: 'cut' });
  await until(() => failures.length > 0, { timeoutMs: 40_000 });
  camera.server.setFault(PATH, null);
  const before = frames.length;
  await until(() => frames.length > before, { timeoutMs: 40_000 });
  expect(failures).not.toContain('stalled');
});

test.concurrent('a wrong password is told as such', async ({ expect, onTestFinished }) => {
  const camera = await paintedCamera(onTestFinished);
  const { source, failures } = watch(onTestFinished, camera.url, { password: 'wrong' });
  await source.start();
  await until(() => failures.length > 0, { timeoutMs: 40_000 });
  expect(failures[0]).toBe('unauthorised');
});

test.concurrent('a camera that asks for its password in clear, one that speaks TLS: neither address nor password is seen by others', async ({
  expect,
  onTestFinished,
}) => {
  const basic = await paintedCamera(onTestFinished, { basic: true });
  const tls = await paintedCamera(onTestFinished, { tls: true });
  expect(tls.url).toMatch(/^rtsps:/);
  for (const { url } of [basic, tls]) {
    const { source, frames, failures } = watch(onTestFinished, url);
    await source.start();
    await until(() => frames.length >= 2, { timeoutMs: 40_000 });
    expect(failures).toEqual([]);
    const seen = await readFile(`/proc/${source.pid}/cmdline`, 'latin1');
    expect(seen).toContain('-use_wallclock_as_timestamps');
    for (const secret of [USERNAME, PASSWORD, encodeURIComponent(PASSWORD), PATH]) expect(seen).not.toContain(secret);
  }
});

test.concurrent('a camera that sends ffmpeg to another address is refused', async ({ expect, onTestFinished }) => {
  const url = await redirectingCamera(onTestFinished, 'rtsp://127.0.0.1:1/elsewhere');
  const { source, failures } = watch(onTestFinished, url);
  await source.start();
  await until(() => failures.length > 0, { timeoutMs: 40_000 });
  expect(failures[0]).toBe('address');
});

test.concurrent('a recording plays in real time, over and over, and stands for a camera', async ({ expect, onTestFinished }) => {
  const dir = await ownDir(onTestFinished);
  const made = spawn('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', `color=c=0xc8c8c8:s=${WIDTH_PX}x${HEIGHT_PX}:r=10`, '-frames:v', '20'],
    ...['-c:v', 'libx264', '-g', '10', join(dir, 'grey.mp4')],
  ]);
  await once(made, 'close');
  const recording = { id: 'cam-01', file: 'grey.mp4', transport: 'tcp' } as const;
  const { source, frames, failures, media } = watchStream(onTestFinished, recording, { fps: 4 }, dir);
  await source.start();
  // Twelve are three seconds: more than the file has.
  await until(() => frames.length >= 12, { timeoutMs: 40_000 });
  expect(failures).toEqual([]);
  expect((frames[11]?.ms ?? 0) - (frames[0]?.ms ?? 0)).toBeGreaterThan(1500);
  expect(Math.abs((frames[11]?.mean ?? 0) - 200)).toBeLessThan(6);
  expect(media.init?.codec).toMatch(/^avc1/);
});

test.concurrent('a loopback address is refused where it is not allowed, and no ffmpeg is started', async ({
  expect,
  onTestFinished,
}) => {
  const { source, failures } = watch(onTestFinished, 'rtsp://127.0.0.1:1/cam', { allowLocalAddress: false });
  await source.start();
  await until(() => failures.length > 0, { timeoutMs: 40_000 });
  expect(failures[0]).toBe('address');
  expect(source.pid).toBeNull();
});

test.concurrent('stop ends ffmpeg', async ({ expect, onTestFinished }) => {
  const camera = await paintedCamera(onTestFinished);
  const { source } = watch(onTestFinished, camera.url);
  await source.start();
  const pid = await until(() => source.pid);
  await source.stop();
  expect(() => process.kill(pid, 0)).toThrow();
});
