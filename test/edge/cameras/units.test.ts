import { execFileSync } from 'node:child_process';
import { realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { streamUrl } from '#edge/cameras/address.ts';
import { ffmpegArguments, rtspScript } from '#edge/cameras/arguments.ts';
import { BufferPool, RawReader, YuvReader } from '#edge/cameras/frames.ts';
import type { FullPicture } from '#edge/cameras/full_picture.ts';
import { CameraHealth } from '#edge/cameras/health.ts';
import { openStream } from '#edge/cameras/open.ts';
import { failureOf, withoutCredentials } from '#edge/cameras/reason.ts';
import { SlowWatch } from '#edge/cameras/slow.ts';
import { isLocalAddress } from '#service/mod.ts';
import { ownDir } from './painted.ts';

const camera = { id: 'cam-01', url: 'rtsp://192.0.2.7:554/live/1', allowLocalAddress: false };

test('user and password go percent-encoded into the address, and never into a message', async () => {
  const url = await streamUrl({ ...camera, username: 'op er', password: 'p@ss:w/rd?#%' });
  expect(url).toBe('rtsp://op%20er:p%40ss%3Aw%2Frd%3F%23%25@192.0.2.7:554/live/1');
  expect(withoutCredentials(`Error opening ${url}: refused`)).toBe('Error opening rtsp://***@192.0.2.7:554/live/1: refused');
});

test('other schemes, credentials in the address and text that is none are refused', async () => {
  for (const url of [
    'ftp://192.0.2.7/',
    'pipe:0',
    'file:///etc/passwd',
    'rtmp://192.0.2.7/',
    'rtsp://u:p@192.0.2.7/',
    'concat:a|b',
    'rtsp://',
  ])
    await expect(streamUrl({ ...camera, url })).rejects.toMatchObject({ code: 'GEWU_CAMERA_URL' });
  await expect(streamUrl({ ...camera, url: 'rtsps://192.0.2.7/live' })).resolves.toBe('rtsps://192.0.2.7/live');
});

test('loopback and link-local addresses are refused in every spelling, and behind a name, unless they are allowed', async () => {
  const local = [
    '127.0.0.1',
    '127.8.9.1',
    '0.0.0.0',
    '169.254.169.254',
    '[::1]',
    '[fe80::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
  ];
  for (const host of local) {
    await expect(streamUrl({ ...camera, url: `rtsp://${host}/x` }, async () => ['127.0.0.1'])).rejects.toMatchObject({
      code: 'GEWU_CAMERA_URL',
    });
    await expect(streamUrl({ ...camera, url: `rtsp://${host}/x`, allowLocalAddress: true })).resolves.toMatch(/^rtsp:/);
  }
  const named = { ...camera, url: 'rtsp://camera.example/x' };
  await expect(streamUrl(named, async () => ['192.0.2.7', '::1'])).rejects.toMatchObject({ code: 'GEWU_CAMERA_URL' });
  await expect(streamUrl(named, async () => ['192.0.2.7'])).resolves.toBe('rtsp://192.0.2.7/x');
  await expect(streamUrl(named, () => Promise.reject(new Error('ENOTFOUND')))).rejects.toMatchObject({
    code: 'GEWU_CAMERA_OFFLINE',
  });
  expect(isLocalAddress('10.0.0.1')).toBe(false);
});

test('no argument of ffmpeg holds the address, the user or the password: it reads them from its standard input', async () => {
  const url = await streamUrl({ ...camera, url: "rtsp://192.0.2.7/it's\nfile '/etc/passwd'", username: 'u', password: 'p' });
  const script = rtspScript(url, 'udp').split('\n');
  expect(script.slice(0, 3)).toEqual([
    'ffconcat version 1.0',
    "file 'rtsp://u:p@192.0.2.7/it%27sfile%20%27/etc/passwd%27'",
    'option rtsp_transport udp',
  ]);
  const format = { input: { width: 320, height: 320, letterbox: { pad: 114 } }, fullWidthMax: 1280 };
  const list = ffmpegArguments('rtsp', { fps: 2, keyFramesOnly: false, media: true }, format);
  expect(list[list.indexOf('-i') + 1]).toBe('pipe:0');
  expect(list[list.indexOf('-protocol_whitelist') + 1]).toBe('pipe,rtsp,rtp,tcp,tls,udp');
  expect(list.join(' ')).toContain('0x727272');
});

test('a recording is a plain file of the one folder, named without a path', async ({ onTestFinished }) => {
  const dir = await ownDir(onTestFinished);
  await writeFile(join(dir, 'street.mp4'), 'x');
  await symlink('/etc/passwd', join(dir, 'link.mp4'));
  const open = (file: string, filesDir: string | null = dir) =>
    openStream({ id: 'cam-01', file, transport: 'tcp' }, { filesDir, signal: new AbortController().signal, probe: false });
  await expect(open('street.mp4')).resolves.toEqual({ input: { file: join(await realpath(dir), 'street.mp4') }, feed: null });
  for (const file of ['../street.mp4', '/etc/passwd', '-i', 'none.mp4', 'link.mp4', '.', ''])
    await expect(open(file)).rejects.toMatchObject({ code: 'GEWU_CAMERA_URL' });
  await expect(open('street.mp4', null)).rejects.toMatchObject({ code: 'GEWU_CAMERA_URL' });
});

test('ffmpeg says why in its own words, we in ours', () => {
  expect(failureOf('[rtsp @ 0x1] [error] method DESCRIBE failed: 401 Unauthorized')).toBe('unauthorised');
  expect(failureOf('[error] rtsp://***@h/x: Connection refused')).toBe('refused');
  expect(failureOf('[error] Server returned 404 Not Found')).toBe('not_found');
  expect(failureOf('[error] Connection timed out')).toBe('unreachable');
  expect(failureOf('[info] Stream #0:0: Video: h264, 640x480, 401 kb/s')).toBeNull();
  expect(failureOf('')).toBeNull();
});

/** As ffmpeg writes one. */
function pgmyuv(widthPx: number, heightPx: number, value: number): Buffer {
  const rows = (heightPx * 3) / 2;
  return Buffer.concat([Buffer.from(`P5\n${widthPx} ${rows}\n255\n`), Buffer.alloc(widthPx * rows, value)]);
}

test('pictures are cut out of the stream however it is broken up, also when their size changes', () => {
  const stream = Buffer.concat([pgmyuv(4, 2, 1), pgmyuv(4, 2, 2), pgmyuv(6, 4, 3)]);
  for (const size of [1, 3, 7, 20, 1000]) {
    const found: string[] = [];
    const reader = new YuvReader((bytes) => Buffer.alloc(bytes));
    for (let at = 0; at < stream.length; at += size)
      reader.push(stream.subarray(at, at + size), ({ widthPx, heightPx, yuv, luma }) =>
        found.push(`${widthPx}x${heightPx}:${yuv[0]},${yuv.at(-1)},${yuv.length},${luma.length}`),
      );
    expect(found).toEqual(['4x2:1,1,12,8', '4x2:2,2,12,8', '6x4:3,3,36,24']);
  }
});

test('a stream that is none, and a picture of absurd size, are errors', () => {
  const reader = () => new YuvReader((bytes) => Buffer.alloc(bytes));
  expect(() => reader().push(Buffer.alloc(100, 'x'), () => {})).toThrow('not a PGMYUV stream');
  for (const size of ['99999 99999', '5 6', '4 5', '0 3'])
    expect(() => reader().push(Buffer.from(`P5\n${size}\n255\n`), () => {})).toThrow(/picture of/);
});

test('the colours of a picture are those that ffmpeg makes of it', () => {
  const [widthPx, heightPx] = [64, 48];
  const pixels = ['-f', 'lavfi', '-i', `testsrc2=s=${widthPx}x${heightPx},format=yuv420p`, '-frames:v', '1'];
  const picture = (...output: string[]) => execFileSync('ffmpeg', ['-v', 'error', ...pixels, ...output, 'pipe:1']);
  const wanted = picture('-vf', 'scale=flags=neighbor+accurate_rnd,format=rgb24', '-f', 'rawvideo');
  const found: FullPicture[] = [];
  const stream = picture('-c:v', 'pgmyuv', '-f', 'image2pipe');
  new YuvReader((bytes) => Buffer.alloc(bytes)).push(stream, (one) => found.push(one));
  const { rgb } = found[0] as FullPicture;
  expect(rgb.length).toBe(wanted.length);
  expect(Math.max(...rgb.map((value, n) => Math.abs(value - (wanted[n] as number))))).toBeLessThanOrEqual(3);
});

test('raw frames fill buffers that are used over and over', () => {
  let made = 0;
  const pool = new BufferPool<ArrayBuffer>((bytes) => {
    made++;
    return new ArrayBuffer(bytes);
  }, 4);
  const seen: number[] = [];
  const reader = new RawReader(10, () => pool.take(10));
  for (let n = 0; n < 30; n++)
    reader.push(Buffer.alloc(7, n), (frame) => {
      seen.push(new Uint8Array(frame)[0] as number);
      pool.give(frame);
    });
  expect(seen).toHaveLength(21);
  expect(made).toBe(1);
  pool.give(new ArrayBuffer(0));
  expect(pool.take(10).byteLength).toBe(10);
});

test('health: online with the first picture, offline after four seconds without, one outage through changing reasons', () => {
  const health = new CameraHealth({ timing: { fps: 2 }, shadow: false, at: 1000, ms: 0 });
  expect(health.current).toEqual({ state: 'unknown', reason: 'starting', since: 1000 });
  expect(health.frame(null, 2000, 1000)).toEqual({ state: 'online', reason: 'connected', since: 2000 });
  expect(health.frame(null, 2500, 1500)).toBeNull();
  expect(health.tick(6400, 5400)).toBeNull();
  expect(health.failure('refused', 7100)).toBeNull();
  expect(health.tick(7600, 6600)).toEqual({ state: 'offline', reason: 'refused', since: 7600 });
  expect(health.failure('unauthorised', 9000)).toEqual({ state: 'offline', reason: 'unauthorised', since: 7600 });
  expect(health.impairedMs(41_500)).toBe(40_000);
  expect(health.frame('black', 50_000, 49_000)).toEqual({ state: 'degraded', reason: 'black', since: 50_000 });
  expect(health.impairedMs(50_000)).toBeGreaterThan(40_000);
  expect(health.frame(null, 51_000, 50_000)).toEqual({ state: 'online', reason: 'connected', since: 51_000 });
  expect(health.impairedMs(51_000)).toBe(0);
});

test('at the start the first picture may take longer, unless something has failed', () => {
  const quiet = new CameraHealth({ timing: { fps: 2 }, shadow: false, at: 0, ms: 0 });
  expect(quiet.tick(14_000, 14_000)).toBeNull();
  expect(quiet.tick(15_000, 15_000)).toMatchObject({ state: 'offline', reason: 'stalled' });
  const refused = new CameraHealth({ timing: { fps: 2 }, shadow: false, at: 0, ms: 0 });
  refused.failure('refused', 1000);
  expect(refused.tick(4000, 4000)).toMatchObject({ state: 'offline', reason: 'refused' });
});

test('a slow camera is given the time of three pictures', () => {
  const health = new CameraHealth({ timing: { fps: 0.1 }, shadow: true, at: 0, ms: 0 });
  expect(health.frame(null, 0, 0)).toMatchObject({ reason: 'shadow' });
  expect(health.tick(29_000, 29_000)).toBeNull();
  expect(health.tick(30_500, 30_500)).toMatchObject({ state: 'offline', reason: 'stalled' });
});

test('a camera is slow while half of its pictures are wanting, and not before a whole span of them was due', () => {
  const watch = new SlowWatch({ fps: 2 });
  let ms = 0;
  const during = (s: number, fps: number): boolean[] =>
    Array.from({ length: s * fps }, () => {
      ms += 1000 / fps;
      return watch.add(ms);
    });
  expect(during(19, 0.8)).not.toContain(true);
  expect(during(5, 0.8).at(-1)).toBe(true);
  // Neither one nor the other: it stays as it was.
  expect(during(40, 1.2).at(-1)).toBe(true);
  expect(during(40, 1.6).at(-1)).toBe(false);
  expect(during(40, 1.2).at(-1)).toBe(false);
  during(40, 0.8);
  watch.reset();
  expect(during(19, 0.8)).not.toContain(true);
});
