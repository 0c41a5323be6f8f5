import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Registry } from 'prom-client';
import { afterAll, describe, expect, test } from 'vitest';
import { createTimeSeriesStore, HOUR_MS, type SqliteTimeSeriesConfig, type TimeSeriesStore } from '#ingest/timeseries/mod.ts';
import { type Clock, ManualClock, silentLog } from '#service/mod.ts';
import { tempDir } from '#test/support/temp.ts';
import { BASE, conformance } from './conformance.ts';
import { line, writeLines } from './line.ts';

const DAY_MS = 24 * HOUR_MS;
const retention = { rawDays: 30, minuteDays: 365, hourDays: 3650 };
const dirs: string[] = [];
const opened = new Map<TimeSeriesStore, { config: SqliteTimeSeriesConfig; clock: Clock }>();
afterAll(() => Promise.all(dirs.map((d) => rm(d, { recursive: true, force: true }))));

async function open(config: SqliteTimeSeriesConfig, clock: Clock): Promise<TimeSeriesStore> {
  const store = createTimeSeriesStore(config, { clock, log: silentLog, metrics: new Registry() });
  await store.start();
  opened.set(store, { config, clock });
  return store;
}

async function freshConfig(): Promise<SqliteTimeSeriesConfig> {
  const dir = await tempDir({ keep: true });
  dirs.push(dir);
  return { store: 'sqlite', file: join(dir, 'series', 'readings.db'), retention };
}

conformance('SQLite', () => ({
  open: async ({ clock, rawDays = 30 }) => open({ ...(await freshConfig()), retention: { ...retention, rawDays } }, clock),
  reopen: async (store) => {
    const { config, clock } = opened.get(store) as { config: SqliteTimeSeriesConfig; clock: Clock };
    await store.stop();
    return open(config, clock);
  },
}));

describe('SQLite only', () => {
  test('a second process is refused with GEWU_STORE_LOCKED, and may have it after a kill', async () => {
    const config = await freshConfig();
    const script = join(import.meta.dirname, 'holder.ts');
    const store = await open(config, new ManualClock(Date.now()));
    await expect(promisify(execFile)(process.execPath, [script, config.file])).rejects.toMatchObject({
      stderr: expect.stringContaining('GEWU_STORE_LOCKED'),
    });
    await store.stop();
    // The holder writes one reading and kills itself with SIGKILL, without a chance to close anything.
    await expect(promisify(execFile)(process.execPath, [script, config.file])).rejects.toMatchObject({ signal: 'SIGKILL' });
    const again = await open(config, new ManualClock(Date.now()));
    expect(await again.count({ from: 0, to: Date.now() })).toBe(1);
    await again.stop();
  });

  test('each resolution is kept for its own time, and what is dropped is rolled up first', async () => {
    const clock = new ManualClock(BASE);
    const store = await open(await freshConfig(), clock);
    const query = { device: 'old-1', from: BASE, to: BASE + HOUR_MS };
    await writeLines(store, [line('old-1', BASE + 1, { a: 1 }), line('old-1', BASE + 2, { a: 3 })]);
    const daysLater = async (days: number) => {
      clock.advance(BASE + days * DAY_MS - clock.now());
      await writeLines(store, [line('young-1', clock.now(), { a: 1 })]);
      await store.maintain();
      const points = async (resolution: 'raw' | '1m' | '1h') => (await store.range({ ...query, resolution })).points.length;
      return [await points('raw'), await points('1m'), await points('1h')];
    };
    expect(await daysLater(29)).toEqual([2, 1, 1]);
    expect(await daysLater(31)).toEqual([0, 1, 1]);
    const hour = await store.range({ ...query, resolution: '1h' });
    expect(hour.points[0]?.fields.a).toEqual({ mean: 2, min: 1, max: 3, count: 2, last: 3 });
    // So late that the hour's other readings are gone: it would spoil the roll-up.
    expect(await writeLines(store, [line('old-1', BASE + 3, { a: 9 })])).toMatchObject([
      { ok: false, code: 'GEWU_STORE_REJECTED' },
    ]);
    expect(await daysLater(366)).toEqual([0, 0, 1]);
    expect(await daysLater(3651)).toEqual([0, 0, 0]);
    await store.stop();
  });

  test('a clock that jumps ahead by years deletes nothing', async () => {
    const clock = new ManualClock(BASE);
    const store = await open(await freshConfig(), clock);
    await writeLines(store, [line('jump-1', BASE, { a: 1 })]);
    clock.jump(3000 * DAY_MS);
    await store.maintain();
    expect(await store.count({ from: BASE, to: BASE + 1, device: 'jump-1' })).toBe(1);
    expect(await writeLines(store, [line('jump-1', BASE + 1, { a: 2 })])).toEqual([{ ok: true }]);
    await store.stop();
  });

  test('a file that is no database is unavailable, not empty', async () => {
    const config = await freshConfig();
    const store = await open(config, new ManualClock());
    await writeLines(store, [line('x', BASE, { a: 1 })]);
    await store.stop();
    await writeFile(config.file, 'this is no database, and long enough to look like the page of one'.repeat(100));
    await expect(open(config, new ManualClock())).rejects.toMatchObject({ code: 'GEWU_STORE_UNAVAILABLE' });
  });
});
