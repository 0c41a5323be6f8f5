import { expect, it, onTestFinished } from 'vitest';
import { silentLog, systemClock } from '#service/mod.ts';
import { type AccessUnit, type EncoderConfig, FlvReader, H264Encoder } from '#simulators/cameras/mod.ts';
import { until } from '../../support/until.ts';

const SIZE = { widthPx: 320, heightPx: 180 };

async function startEncoder(config: Partial<EncoderConfig> = {}) {
  const units: (AccessUnit & { tookMs: number })[] = [];
  const encoder = new H264Encoder({
    config: { ...SIZE, fps: 5, ...config },
    log: silentLog,
    clock: systemClock,
    onUnit: (unit) => units.push({ ...unit, tookMs: systemClock.monotonic() - unit.capturedMs }),
  });
  onTestFinished(() => encoder.stop());
  await encoder.start();
  /** One frame through the encoder; its unit. */
  const code = async (shade: number) => {
    await until(() => encoder.ready, { everyMs: 2, what: 'encoder ready' });
    const before = units.length;
    expect(encoder.encode(frame(shade), systemClock.monotonic())).toBe(true);
    await until(() => units.length > before, { everyMs: 2, what: 'a unit' });
    return units[before] as (typeof units)[number];
  };
  return { encoder, units, code };
}

function frame(shade: number): Uint8Array {
  return new Uint8Array(SIZE.widthPx * SIZE.heightPx * 4).map((_, i) => (i % 4 === 3 ? 255 : (shade + (i >> 4)) & 255));
}

const types = (unit: AccessUnit) => unit.nals.map((nal) => (nal[0] ?? 0) & 31);

it('gives one unit for each frame, before the next frame comes, and a key picture with its sets each second', async () => {
  const { encoder, code } = await startEncoder();
  const units = [];
  for (let n = 0; n < 12; n++) units.push(await code(n * 9));
  expect(units.map((u) => u.key)).toEqual(Array.from({ length: 12 }, (_, n) => n % 5 === 0));
  expect(units.map(types)).toEqual(units.map((u) => (u.key ? [7, 8, 5] : [1])));
  const later = units.slice(1).map((u) => u.tookMs);
  expect(later.sort((a, b) => a - b)[5]).toBeLessThan(150);
  expect(encoder.stats).toMatchObject({ framesIn: 12, unitsOut: 12, failures: 0 });
});

it('takes no second frame while it has one', async () => {
  const { encoder, units } = await startEncoder();
  expect(encoder.encode(frame(1), 0)).toBe(true);
  expect(encoder.ready).toBe(false);
  expect(encoder.encode(frame(2), 0)).toBe(false);
  await until(() => units.length === 1 && encoder.ready, { what: 'ready again' });
  expect(encoder.stats.framesIn).toBe(1);
  expect(() => encoder.encode(new Uint8Array(10), 0)).toThrow(RangeError);
});

it('starts again, with a key picture, when ffmpeg is killed', async () => {
  const { encoder, code } = await startEncoder();
  await code(1);
  expect((await code(2)).key).toBe(false);
  const { pid } = encoder.stats;
  process.kill(pid as number, 'SIGKILL');
  await until(() => encoder.stats.pid !== null && encoder.stats.pid !== pid, { what: 'another ffmpeg' });
  const unit = await code(3);
  expect(types(unit)).toEqual([7, 8, 5]);
  expect(encoder.stats.failures).toBe(1);
});

it('ends ffmpeg when it stops, also one that hangs, and once is enough', async () => {
  const { encoder, code } = await startEncoder();
  await code(1);
  const pid = encoder.stats.pid as number;
  process.kill(pid, 'SIGSTOP');
  await encoder.stop();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  await encoder.stop();
  expect(encoder.encode(frame(1), 0)).toBe(false);
});

it('names the program that is missing', async () => {
  await expect(startEncoder({ ffmpeg: '/nowhere/ffmpeg' })).rejects.toMatchObject({ code: 'GEWU_MISSING_PROGRAM' });
});

it('keeps trying, ever more slowly, when ffmpeg ends at once', async () => {
  const { encoder } = await startEncoder({ ffmpeg: '/bin/false' });
  const at: number[] = [];
  for (const n of [1, 2, 3]) {
    await until(() => encoder.stats.failures >= n, { everyMs: 2, what: `failure ${n}` });
    at.push(systemClock.monotonic());
  }
  const [first = 0, second = 0, third = 0] = at;
  expect(second - first).toBeGreaterThan(230);
  expect(third - second).toBeGreaterThan(470);
});

it('reads FLV in pieces of any size, and refuses what is none', () => {
  const tag = (type: number, data: Buffer) => {
    const head = Buffer.alloc(11);
    head[0] = type;
    head.writeUIntBE(data.length, 1, 3);
    return Buffer.concat([head, data, Buffer.alloc(4)]);
  };
  const record = Buffer.from('01 42c01e ff e1 0004 6742c01e 01 0002 68ce'.replaceAll(' ', ''), 'hex');
  const stream = Buffer.concat([
    Buffer.from('464c560101000000090000 0000'.replace(' ', ''), 'hex'),
    tag(18, Buffer.from('meta data')),
    tag(9, Buffer.concat([Buffer.from('1700000000', 'hex'), record])),
    // A supplemental message goes, the slice stays.
    tag(9, Buffer.from(`1701000000${'00000002'}06ff${'00000003'}65aabb`, 'hex')),
    tag(9, Buffer.from(`2701000000${'00000002'}41cc`, 'hex')),
  ]);
  for (const step of [1, 7, stream.length]) {
    const reader = new FlvReader();
    const pictures = [];
    for (let at = 0; at < stream.length; at += step) pictures.push(...reader.push(stream.subarray(at, at + step)));
    expect(pictures.map((p) => [p.key, ...p.nals.map((nal) => nal.toString('hex'))])).toEqual([
      [true, '6742c01e', '68ce', '65aabb'],
      [false, '41cc'],
    ]);
  }
  expect(() => new FlvReader().push(Buffer.from('RIFF000000000'))).toThrow('not an FLV stream');
});
