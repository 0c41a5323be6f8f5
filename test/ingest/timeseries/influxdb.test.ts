import { rm } from 'node:fs/promises';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServerProcess, startInfluxdb } from '#cli/servers/mod.ts';
import { createTimeSeriesStore, HOUR_MS, type InfluxdbTimeSeriesConfig, type TimeSeriesStore } from '#ingest/timeseries/mod.ts';
import { type Clock, ManualClock, silentLog } from '#service/mod.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { BASE, conformance } from './conformance.ts';
import { line, writeLines } from './line.ts';

const DAY_MS = 24 * HOUR_MS;
const retention = { rawDays: 30, minuteDays: 365, hourDays: 3650 };
let dir: string;
let server: ServerProcess;
let databases = 0;
const opened = new Map<TimeSeriesStore, { config: InfluxdbTimeSeriesConfig; clock: Clock }>();

beforeAll(async () => {
  dir = await tempDir({ keep: true });
  server = await startInfluxdb({ dir });
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

function freshConfig(): InfluxdbTimeSeriesConfig {
  return { store: 'influxdb', url: server.url, database: `gewu_${databases++}`, gzip: false, timeoutMs: 10_000, retention };
}

async function open(config: InfluxdbTimeSeriesConfig, clock: Clock): Promise<TimeSeriesStore> {
  const store = createTimeSeriesStore(config, { clock, log: silentLog, metrics: new Registry() });
  await store.start();
  opened.set(store, { config, clock });
  return store;
}

async function influxQl(q: string): Promise<string> {
  const answer = await fetch(`${server.url}/query`, { method: 'POST', body: new URLSearchParams({ q }) });
  return answer.text();
}

conformance('InfluxDB', () => ({
  open: ({ clock, rawDays = 30 }) => open({ ...freshConfig(), retention: { ...retention, rawDays } }, clock),
  reopen: async (store) => {
    const { config, clock } = opened.get(store) as { config: InfluxdbTimeSeriesConfig; clock: Clock };
    await store.stop();
    return open(config, clock);
  },
}));

describe('InfluxDB only', () => {
  const clock = new ManualClock(Date.now());

  test('makes the retention policies, and alters them when the configuration changes', async () => {
    const config = freshConfig();
    await (await open(config, clock)).stop();
    const policies = async () => await influxQl(`SHOW RETENTION POLICIES ON ${config.database}`);
    for (const p of ['"raw","720h0m0s"', '"m1","8760h0m0s"', '"h1","87600h0m0s"']) expect(await policies()).toContain(p);
    await (await open({ ...config, retention: { ...retention, rawDays: 60 } }, clock)).stop();
    expect(await policies()).toContain('"raw","1440h0m0s"');
  });

  test('a reading older than the raw retention is refused with the reason of InfluxDB', async () => {
    const store = await open(freshConfig(), clock);
    const verdicts = await writeLines(store, [line('late-1', BASE - 40 * DAY_MS, { a: 1 }), line('late-1', BASE, { a: 2 })]);
    expect(verdicts).toMatchObject([{ ok: false, reason: expect.stringContaining('beyond retention policy') }, { ok: true }]);
    expect(await store.count({ from: 0, to: BASE + 1 })).toBe(1);
    await store.stop();
  });

  test('compressed writes are the same writes', async () => {
    const store = await open({ ...freshConfig(), gzip: true }, clock);
    await writeLines(store, [line('zip-1', BASE, { a: 1.25 })]);
    expect((await store.latest(['zip-1'])).get('zip-1')?.fields).toEqual({ a: 1.25 });
    await store.stop();
  });

  test('two replicas write and roll up one database', async () => {
    const config = freshConfig();
    const [a, b] = [await open(config, clock), await open(config, clock)];
    await writeLines(a, [line('rep-1', BASE + 1, { v: 1 })]);
    await b.maintain();
    await writeLines(a, [line('rep-1', BASE + 2, { v: 3 })]);
    await writeLines(b, [line('rep-1', BASE + 3, { v: 5 })]);
    const query = { device: 'rep-1', from: BASE, to: BASE + HOUR_MS, resolution: '1h' } as const;
    for (const store of [a, b]) expect((await store.range(query)).points[0]?.fields.v).toMatchObject({ count: 3, mean: 3 });
    await a.maintain();
    for (const store of [a, b]) expect((await store.range(query)).points[0]?.fields.v).toMatchObject({ count: 3, mean: 3 });
    await Promise.all([a.stop(), b.stop()]);
  });

  test('a database that somebody dropped is made again, and the write succeeds when it comes again', async () => {
    const config = freshConfig();
    const store = await open(config, clock);
    await influxQl(`DROP DATABASE ${config.database}`);
    await expect(writeLines(store, [line('drop-1', BASE, { a: 1 })])).rejects.toMatchObject({ code: 'GEWU_STORE_UNAVAILABLE' });
    expect(await writeLines(store, [line('drop-1', BASE, { a: 1 })])).toEqual([{ ok: true }]);
    await store.stop();
  });

  test('a server that is down is unavailable; after kill -9 nothing that was claimed is missing', async () => {
    const store = await open({ ...freshConfig(), timeoutMs: 2000 }, clock);
    const unavailable = { code: 'GEWU_STORE_UNAVAILABLE' };
    let claimed = 0;
    const writing = (async () => {
      for (let i = 0; ; i++) {
        await writeLines(
          store,
          Array.from({ length: 100 }, (_, k) => line(`down-${k}`, BASE + i, { a: i, seq: i })),
        );
        claimed += 100;
      }
    })();
    writing.catch(() => undefined);
    await until(() => claimed >= 1000, { what: 'ten writes' });
    await server.kill();
    await expect(writing).rejects.toMatchObject(unavailable);
    await expect(store.count({ from: BASE, to: BASE + HOUR_MS })).rejects.toMatchObject(unavailable);
    await expect(open(freshConfig(), clock)).rejects.toMatchObject(unavailable);
    await server.restart();
    const stored = await until(() => store.count({ from: BASE, to: BASE + HOUR_MS }), { what: 'InfluxDB after its restart' });
    expect(stored).toBeGreaterThanOrEqual(claimed);
    expect(stored - claimed).toBeLessThanOrEqual(100);
    expect(await writeLines(store, [line('down-0', BASE + 1e6, { a: 1 })])).toEqual([{ ok: true }]);
    await store.stop();
  });
});
