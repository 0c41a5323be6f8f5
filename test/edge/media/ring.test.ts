import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { CodecError, type MediaFragment, type MediaInit, MediaRing } from '#edge/media/mod.ts';

/** Four seconds of a moving picture, a key picture a second, as the cameras' ffmpeg writes it. */
function movie(encoder: readonly string[]): Buffer {
  const source = ['-f', 'lavfi', '-i', 'testsrc=s=320x180:r=10', '-frames:v', '40', '-pix_fmt', 'yuv420p'];
  const flags = 'frag_keyframe+empty_moov+default_base_moof+skip_trailer';
  const output = ['-movflags', flags, '-frag_duration', '250000', '-f', 'mp4', 'pipe:1'];
  return execFileSync('ffmpeg', ['-v', 'error', ...source, ...encoder, ...output]);
}

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0'];
const H265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:bframes=0:keyint=10'];

/** A clock that the test moves. */
function handClock() {
  const clock = { ms: 0, now: () => 1_000_000 + clock.ms, monotonic: () => clock.ms };
  return clock;
}

function ringOf(limits?: { spanMs: number; bytesMax: number }) {
  const clock = handClock();
  const ring = new MediaRing({ clock, ...(limits ? { limits } : {}) });
  const heard: (MediaInit | MediaFragment | string)[] = [];
  const take = (what: MediaInit | MediaFragment | string): void => {
    heard.push(what);
  };
  return { clock, ring, heard, listener: { init: take, fragment: take, ended: take } };
}

test('a stream is cut into init and fragments however it is broken up, and each fragment plays behind them', () => {
  const bytes = movie(H264);
  for (const size of [1, 7, 1000, bytes.length]) {
    const { ring, heard, listener } = ringOf();
    ring.subscribe(listener);
    const push = ring.begin();
    for (let at = 0; at < bytes.length; at += size) push(bytes.subarray(at, at + size));
    const [init, ...fragments] = heard as [MediaInit, ...MediaFragment[]];
    expect(init).toMatchObject({ codec: expect.stringMatching(/^avc1\.42c0/), widthPx: 320, heightPx: 180 });
    expect(Buffer.concat([init.bytes, ...fragments.map((f) => f.bytes)]).equals(bytes)).toBe(true);
    expect(fragments.filter(({ key }) => key)).toHaveLength(4);
    expect(fragments[0]?.key).toBe(true);
    expect(fragments.length).toBeGreaterThanOrEqual(12);
  }
});

test('H.265 has its own codec string; what is neither is refused', () => {
  const { ring } = ringOf();
  ring.begin()(movie(H265));
  // The main profile, progressive: 1 and its compatibility flags, tier, level, constraints.
  expect(ring.init?.codec).toMatch(/^hev1\.1\.6\.L\d+\.90$/);
  expect(() => ringOf().ring.begin()(movie(['-c:v', 'mjpeg']))).toThrow(CodecError);
  expect(() => ringOf().ring.begin()(Buffer.alloc(100))).toThrow(/MP4 box/);
});

/** One group a second: a key fragment and three others, of the same movie over and over. */
function fill(limits: { spanMs: number; bytesMax: number }, seconds: number) {
  const { clock, ring } = ringOf(limits);
  const push = ring.begin();
  const source = ringOf();
  source.ring.subscribe(source.listener);
  source.ring.begin()(movie(H264));
  const [init, ...fragments] = source.heard as [MediaInit, ...MediaFragment[]];
  push(init.bytes);
  const groups: MediaFragment[][] = [];
  for (const fragment of fragments) {
    if (fragment.key) groups.push([]);
    groups.at(-1)?.push(fragment);
  }
  for (let s = 0; s < seconds; s++)
    for (const [n, { bytes }] of (groups[s % groups.length] as MediaFragment[]).entries()) {
      clock.ms = s * 1000 + n * 250;
      push(bytes);
    }
  return { clock, ring };
}

test('the ring holds its time and not much more, begins with a key picture, and gives from the key picture before a moment on', () => {
  const { clock, ring } = fill({ spanMs: 5000, bytesMax: 1e9 }, 60);
  const all = ring.since(0);
  expect(all[0]).toMatchObject({ key: true });
  expect(clock.ms - (all[0] as MediaFragment).ms).toBeGreaterThanOrEqual(5000);
  expect(clock.ms - (all[0] as MediaFragment).ms).toBeLessThan(6000);
  expect(ring.bytes).toBe(all.reduce((sum, { bytes }) => sum + bytes.length, 0));
  expect(ring.since(57_600)[0]).toMatchObject({ key: true, ms: 57_000, at: 1_057_000 });
  expect(ring.since(57_000)[0]).toMatchObject({ ms: 57_000 });
  expect(ring.since(1e9)[0]).toMatchObject({ key: true, ms: 59_000 });
});

test('a fat stream is bounded by its bytes, also when one group of pictures is more than all', () => {
  const whole = fill({ spanMs: 20_000, bytesMax: 1e9 }, 20).ring.bytes;
  const { ring } = fill({ spanMs: 20_000, bytesMax: whole / 4 }, 20);
  expect(ring.bytes).toBeLessThanOrEqual(whole / 4);
  expect(ring.since(0)[0]).toMatchObject({ key: true });
  const tiny = fill({ spanMs: 20_000, bytesMax: 2000 }, 20).ring;
  expect(tiny.bytes).toBeLessThanOrEqual(2000);
});

test('who comes later gets the init at once; a new ffmpeg begins anew, and a closed ring says so and is silent', () => {
  const bytes = movie(H264);
  const { ring, heard, listener } = ringOf();
  ring.begin()(bytes);
  const leave = ring.subscribe(listener);
  expect(heard).toEqual([ring.init]);
  leave();
  ring.end('stalled');
  expect(heard).toHaveLength(1);
  expect(ring.since(0).length).toBeGreaterThan(0);
  ring.subscribe(listener);
  const push = ring.begin();
  push((ring.init as MediaInit).bytes);
  expect(ring.since(0)).toEqual([]);
  ring.close();
  push(bytes.subarray((heard[0] as MediaInit).bytes.length));
  expect(heard.slice(1)).toEqual([expect.objectContaining({ codec: expect.any(String) }), expect.anything(), 'stopped']);
  expect(ring.init).toBeNull();
});
