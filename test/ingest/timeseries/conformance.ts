import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Aggregate, HOUR_MS, MINUTE_MS, type RangeResult, type TimeSeriesStore } from '#ingest/timeseries/mod.ts';
import { ManualClock } from '#service/mod.ts';
import { line, writeLines } from './line.ts';

/** How a store under test is made. Every call of `open` is an empty store with its own data. */
export interface StoreUnderTest {
  open(options: { clock: ManualClock; rawDays?: number }): Promise<TimeSeriesStore>;
  /** Ends a store and opens its data again. */
  reopen(store: TimeSeriesStore): Promise<TimeSeriesStore>;
}

type Fields = Record<string, number | boolean>;
/** The start of an hour, some hours ago: closed, and within every retention. */
export const BASE = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 6 * HOUR_MS;

/** What every time-series store promises, tried on a real one. */
export function conformance(name: string, make: () => StoreUnderTest): void {
  describe(`${name}: time-series store`, () => {
    let sut: StoreUnderTest;
    let store: TimeSeriesStore;
    const clock = new ManualClock(Date.now());
    beforeAll(async () => {
      sut = make();
      store = await sut.open({ clock });
    });
    afterAll(() => store.stop());

    test('gives back what was written, floats, integers and booleans', async () => {
      const fields = {
        tilt_deg: 2.5,
        opened: true,
        seq: 4_294_967_295,
        tiny: 1.5e-7,
        big: 1e21,
        negative: -0.125,
        closed: false,
      };
      expect(await writeLines(store, [line('rw-1', BASE + 1, fields)])).toEqual([{ ok: true }]);
      const result = await store.range({ device: 'rw-1', from: BASE, to: BASE + 10, resolution: 'raw' });
      expect(result).toEqual({ resolution: 'raw', points: [{ ts: BASE + 1, fields }], truncated: false });
    });

    test('writing nothing is fine, and a device without readings has none', async () => {
      expect(await writeLines(store, [])).toEqual([]);
      expect(await store.range({ device: 'nobody', from: BASE, to: BASE + HOUR_MS })).toMatchObject({ points: [] });
      expect(await store.latest(['nobody'])).toEqual(new Map());
      expect(await store.latest([])).toEqual(new Map());
      expect(await store.count({ from: BASE, to: BASE + HOUR_MS, device: 'nobody' })).toBe(0);
    });

    test('a replay changes nothing, in one write or in another', async () => {
      const lines = [line('dup-1', BASE + 1, { a: 1, seq: 1 }), line('dup-1', BASE + 2, { a: 2 })];
      await writeLines(store, [...lines, ...lines]);
      await writeLines(store, lines);
      expect(await store.count({ from: BASE, to: BASE + 10, device: 'dup-1' })).toBe(2);
      const minutes = await store.range({ device: 'dup-1', from: BASE, to: BASE + 10, resolution: '1m' });
      expect(minutes.points[0]?.fields.a).toEqual({ mean: 1.5, min: 1, max: 2, count: 2, last: 2 });
    });

    test('two readings of one ms and series are one, with the fields of both', async () => {
      await writeLines(store, [line('merge-1', BASE + 1, { a: 1, b: 2 })]);
      await writeLines(store, [line('merge-1', BASE + 1, { b: 3, c: 4 })]);
      const { points } = await store.range({ device: 'merge-1', from: BASE, to: BASE + 10, resolution: 'raw' });
      expect(points).toEqual([{ ts: BASE + 1, fields: { a: 1, b: 3, c: 4 } }]);
    });

    test('out of order in, in order out; from is inside, to is not', async () => {
      const at = [5, 1, 9, 3, 7];
      await writeLines(
        store,
        at.map((n) => line('order-1', BASE + n, { n })),
      );
      const { points } = await store.range({ device: 'order-1', from: BASE + 1, to: BASE + 9, resolution: 'raw' });
      expect(points.map((p) => p.fields.n)).toEqual([1, 3, 5, 7]);
    });

    test('gives the first `limit` points and says that there are more', async () => {
      await writeLines(
        store,
        Array.from({ length: 30 }, (_, i) => line('limit-1', BASE + i * MINUTE_MS, { n: i })),
      );
      for (const resolution of ['raw', '1m'] as const) {
        const some = await store.range({ device: 'limit-1', from: BASE, to: BASE + HOUR_MS, resolution, limit: 10 });
        expect(some.points.map((p) => p.ts)).toEqual(Array.from({ length: 10 }, (_, i) => BASE + i * MINUTE_MS));
        expect(some.truncated).toBe(true);
        const all = await store.range({ device: 'limit-1', from: BASE, to: BASE + HOUR_MS, resolution, limit: 30 });
        expect(all).toMatchObject({ truncated: false, points: { length: 30 } });
      }
    });

    test('gives only the fields asked for, and only points that have one', async () => {
      await writeLines(store, [line('pick-1', BASE + 1, { a: 1, b: 2 }), line('pick-1', BASE + 2, { b: 3 })]);
      const raw = await store.range({ device: 'pick-1', fields: ['a', 'never'], from: BASE, to: BASE + 10, resolution: 'raw' });
      expect(raw.points).toEqual([{ ts: BASE + 1, fields: { a: 1 } }]);
      const minutes = await store.range({ device: 'pick-1', fields: ['b'], from: BASE, to: BASE + 10, resolution: '1m' });
      expect(minutes.points).toEqual([{ ts: BASE, fields: { b: { mean: 2.5, min: 2, max: 3, count: 2, last: 3 } } }]);
    });

    test('the newest reading of each device, whatever came last', async () => {
      await writeLines(store, [
        line('new-1', BASE + 9, { a: 9, on: true }, { kind: 'streetlight' }),
        line('new-2', BASE + 1, { a: 1 }),
      ]);
      await writeLines(store, [line('new-1', BASE + 5, { a: 5, b: 1 }, { kind: 'streetlight' })]);
      const latest = await store.latest(['new-1', 'new-2', 'new-3']);
      expect(latest.get('new-1')).toEqual({
        ts: BASE + 9,
        kind: 'streetlight',
        cell: '110101001001017',
        edge: 'edge-01',
        fields: { a: 9, on: true },
      });
      expect([...latest.keys()].sort()).toEqual(['new-1', 'new-2']);
    });

    test('one poison line is refused with its reason, its neighbours are stored', async () => {
      await writeLines(store, [line('type-1', BASE, { level: 1, on: true, seq: 1 })]);
      const lines = Array.from({ length: 200 }, (_, i) => line('type-1', BASE + 1 + i, { level: i, on: true, seq: i }));
      lines[42] = line('type-1', BASE + 43, { level: true, seq: 42 });
      lines[77] = line('type-1', BASE + 78, { on: 1, seq: 77 });
      lines[99] = 'no line at all';
      const verdicts = await writeLines(store, lines);
      const refused = verdicts.flatMap((v, i) => (v.ok ? [] : [[i, v.code, v.reason] as const]));
      expect(refused.map((r) => r[0])).toEqual([42, 77, 99]);
      expect(refused[0]?.[1]).toBe('GEWU_STORE_REJECTED');
      expect(refused[0]?.[2]).toMatch(/type conflict.*level/);
      expect(refused[1]?.[2]).toMatch(/type conflict.*on/);
      expect(await store.count({ from: BASE + 1, to: BASE + 1000, device: 'type-1' })).toBe(197);
      // Lines that were refused come again with a replay, and are refused again.
      expect((await writeLines(store, lines)).filter((v) => !v.ok)).toHaveLength(3);
    });

    test('a batch of nothing but poison is refused as a whole', async () => {
      await writeLines(store, [line('poison-1', BASE, { p: 1 }, { kind: 'poison' })]);
      const verdicts = await writeLines(
        store,
        Array.from({ length: 500 }, (_, i) => line('poison-1', BASE + 1 + i, { p: true }, { kind: 'poison' })),
      );
      expect(verdicts.every((v) => !v.ok)).toBe(true);
      expect(await store.count({ from: BASE, to: BASE + 1000, device: 'poison-1' })).toBe(1);
    });

    test('lines that try to smuggle something in are refused', async () => {
      const good = line('inj-1', BASE + 1, { a: 1 });
      const attempts = [
        `${good}\n${line('inj-2', BASE + 1, { a: 1 })}`,
        good.replace('a=1', 'a="x"'),
        good.replace('a=1', 'a=1,a=2'),
        good.replace('a=1', 'time=1'),
        good.replace('a=1', 'device=1'),
        good.replace('a=1', 'gewu.n=true'),
        good.replace('a=1', 'a=1e999'),
        good.replace('manhole_cover', 'gewu.dirty'),
        good.replace('inj-1', 'inj\\ 1'),
        good.replace(/ \d+$/, ' 999999999999999'),
        good.replace(/ \d+$/, ''),
        '',
        '\n',
        '# comment',
        'x'.repeat(10_000),
        `${good}\u0000`,
        good.replace('inj-1', 'inj-井'),
      ];
      const verdicts = await writeLines(store, [...attempts, good]);
      expect(verdicts.map((v) => v.ok)).toEqual([...attempts.map(() => false), true]);
      expect(await store.count({ from: 0, to: BASE + HOUR_MS, device: 'inj-2' })).toBe(0);
    });

    test('queries that try to smuggle something in are refused', async () => {
      const range = { device: 'inj-1', from: BASE, to: BASE + HOUR_MS };
      const refused = { code: 'GEWU_REQUEST_INVALID' };
      for (const device of ["x' OR 'a'='a", 'x"; DROP DATABASE gewu', '', 'x/y', 'a'.repeat(65)]) {
        await expect(store.range({ ...range, device })).rejects.toMatchObject(refused);
        await expect(store.latest([device])).rejects.toMatchObject(refused);
        await expect(store.count({ ...range, device })).rejects.toMatchObject(refused);
      }
      await expect(store.range({ ...range, fields: ['a" FROM x; DROP'] })).rejects.toMatchObject(refused);
      await expect(store.range({ ...range, from: Number.NaN })).rejects.toMatchObject(refused);
      await expect(store.range({ ...range, from: range.to + 1 })).rejects.toMatchObject(refused);
      await expect(store.range({ ...range, limit: 1e9 })).rejects.toMatchObject(refused);
      await expect(store.range({ ...range, resolution: '1s; --' as 'raw' })).rejects.toMatchObject(refused);
    });

    test('counts raw readings of one device and of all', async () => {
      const fresh = await sut.open({ clock });
      await writeLines(fresh, [
        ...Array.from({ length: 50 }, (_, i) => line('count-1', BASE + i, i % 2 ? { a: 1 } : { b: 1 })),
        ...Array.from({ length: 30 }, (_, i) =>
          line('count-2', BASE + i, i % 3 ? { a: 1, seq: i } : { a: 1 }, { kind: 'streetlight' }),
        ),
      ]);
      expect(await fresh.count({ from: BASE, to: BASE + HOUR_MS })).toBe(80);
      expect(await fresh.count({ from: BASE, to: BASE + 10 })).toBe(20);
      expect(await fresh.count({ from: BASE, to: BASE + HOUR_MS, device: 'count-1' })).toBe(50);
      await fresh.stop();
    });

    test('a restart keeps everything, and what was to be rolled up', async () => {
      let restarted = await sut.open({ clock });
      await writeLines(restarted, [line('keep-1', BASE + 1, { a: 1 })]);
      restarted = await sut.reopen(restarted);
      expect(await restarted.count({ from: BASE, to: BASE + 10 })).toBe(1);
      await restarted.maintain();
      await writeLines(restarted, [line('keep-1', BASE + 2, { a: 3 })]);
      restarted = await sut.reopen(restarted);
      const { points } = await restarted.range({ device: 'keep-1', from: BASE, to: BASE + 10, resolution: '1h' });
      expect(points[0]?.fields).toEqual({ a: { mean: 2, min: 1, max: 3, count: 2, last: 3 } });
      await restarted.maintain();
      await writeLines(restarted, [line('keep-1', BASE + 3, { a: true })]).then((v) => expect(v[0]?.ok).toBe(false));
      await restarted.stop();
    });

    test('roll-ups equal a plain computation: before, between and after upkeep, with late and repeated data', async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(sample, { minLength: 1, maxLength: 60 }),
          fc.array(sample, { maxLength: 20 }),
          async (first, late) => {
            const device = `prop-${run++}`;
            const lines = (samples: Sample[]) => samples.map((s) => line(device, BASE + s.at, s.fields, { kind: 'prop' }));
            const check = async (samples: Sample[]) => {
              for (const [resolution, width] of [
                ['1m', MINUTE_MS],
                ['1h', HOUR_MS],
              ] as const) {
                const got = await store.range({ device, from: BASE, to: BASE + 3 * HOUR_MS, resolution });
                expect(byTs(got)).toEqual(plain(samples, width));
              }
            };
            await writeLines(store, lines(first));
            await check(first);
            await store.maintain();
            await check(first);
            if (late.length > 0) {
              await writeLines(store, lines([...late, ...first.slice(0, 3)]));
              await check([...first, ...late, ...first.slice(0, 3)]);
              await store.maintain();
              await check([...first, ...late, ...first.slice(0, 3)]);
            }
          },
        ),
        { numRuns: 6 },
      );
    });

    test('a year is drawn with a bounded number of points', async () => {
      const year = await sut.open({ clock, rawDays: 400 });
      const from = BASE - 365 * 24 * HOUR_MS;
      const at = Array.from({ length: 90 }, (_, i) => from + i * 4 * 24 * HOUR_MS + 1234);
      await writeLines(
        year,
        at.map((ts, i) => line('year-1', ts, { n: i })),
      );
      await year.maintain();
      const query = { device: 'year-1', from, to: BASE };
      expect(await year.range(query)).toMatchObject({ resolution: 'raw', points: { length: 90 } });
      const hours = await year.range({ ...query, resolution: '1h' });
      expect(hours.points.map((p) => (p.fields.n as Aggregate).last)).toEqual(at.map((_, i) => i));
      const wide = await year.range({ ...query, limit: 40 });
      expect(wide).toMatchObject({ resolution: '1h', truncated: false });
      expect(wide.points.length).toBeLessThanOrEqual(40);
      expect(wide.points.reduce((sum, p) => sum + (p.fields.n as Aggregate).count, 0)).toBe(90);
      await year.stop();
    });

    test('writes side by side are all there', async () => {
      const batches = Array.from({ length: 6 }, (_, b) =>
        Array.from({ length: 300 }, (_, i) => line(`side-${i % 7}`, BASE + b * 300 + i, { b, seq: i })),
      );
      await Promise.all(batches.map((b) => writeLines(store, b)));
      let total = 0;
      for (let i = 0; i < 7; i++) total += await store.count({ from: BASE, to: BASE + HOUR_MS, device: `side-${i}` });
      expect(total).toBe(1800);
    });

    test('before start and after stop it is unavailable, not wrong', async () => {
      const stopped = await sut.open({ clock });
      await stopped.stop();
      await stopped.stop();
      const unavailable = { code: 'GEWU_STORE_UNAVAILABLE' };
      await expect(writeLines(stopped, [line('x', BASE, { a: 1 })])).rejects.toMatchObject(unavailable);
      await expect(stopped.count({ from: 0, to: BASE })).rejects.toMatchObject(unavailable);
    });
  });
}

interface Sample {
  /** ms after BASE */
  at: number;
  fields: Fields;
}

/** The value follows from the time: readings of one ms are replays, as at a real edge. */
const sample: fc.Arbitrary<Sample> = fc.integer({ min: 0, max: 3 * HOUR_MS - 1 }).map((n) => {
  const at = n - (n % 7_000);
  const fields: Fields = { x: ((at * 31) % 4001) / 4 - 500 };
  if (at % 3 === 0) fields.on = at % 2 === 0;
  return { at, fields };
});

function plain(samples: readonly Sample[], width: number): Map<number, Record<string, Aggregate>> {
  const unique = [...new Map(samples.map((s) => [s.at, s])).values()].sort((a, b) => a.at - b.at);
  const buckets = Map.groupBy(unique, (s) => BASE + Math.floor(s.at / width) * width);
  return new Map(
    [...buckets].map(([ts, inside]) => {
      const fields: Record<string, Aggregate> = {};
      for (const name of ['x', 'on']) {
        const values = inside.flatMap((s) => (name in s.fields ? [s.fields[name] as number | boolean] : []));
        const numbers = values.map(Number);
        if (values.length === 0) continue;
        fields[name] = {
          mean: numbers.reduce((a, b) => a + b, 0) / numbers.length,
          min: Math.min(...numbers),
          max: Math.max(...numbers),
          count: numbers.length,
          last: values.at(-1) as number | boolean,
        };
      }
      return [ts, fields];
    }),
  );
}

function byTs(result: RangeResult): Map<number, unknown> {
  return new Map(result.points.map((p) => [p.ts, p.fields]));
}
