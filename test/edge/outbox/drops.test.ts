import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createEdgeNode } from '#edge/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { DROP_DEVICES_MAX, OTHERS } from '../../../edge/outbox/drops.ts';
import { Outbox } from '../../../edge/outbox/mod.ts';
import { OutboxStore } from '../../../edge/outbox/store.ts';
import { coverDevice, edgeConfig } from '../../support/edge.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { commit, lines, storeOptions } from './files.ts';

const reading = (device: string, seq: number) =>
  `streetlight,cell=1,device=${device},edge=e power_w=52.5,seq=${seq}i ${1.7e12 + seq}`;

test('at the quota the oldest readings go before health, never events; each is counted under its device, over restarts', async () => {
  const dir = await tempDir();
  const options = storeOptions(dir, { quotaBytes: 60_000 });
  let store = new OutboxStore(options, 0);
  for (let seq = 1; seq <= 60; seq++) {
    const readings = Array.from({ length: 20 }, (_, i) => reading(i % 4 === 0 ? 'rare' : 'often', seq * 20 + i));
    commit(store, { rows: { readings, health: [`{"h":${seq}}`], events: [`{"e":${seq}}`] } });
  }
  const { readings, health, events } = store.stats;
  expect(readings.records + readings.dropped).toBe(1200);
  expect(readings.dropped).toBeGreaterThan(500);
  expect(health).toMatchObject({ records: 60, dropped: 0 });
  expect(events).toMatchObject({ records: 60, dropped: 0 });
  expect(lines(store, 'readings').at(-1)).toBe(reading('often', 1219));
  expect(readings.bytes + health.bytes + events.bytes).toBeLessThanOrEqual(60_000);
  const { dropped } = readings;
  store.close();
  store = new OutboxStore(options, 0);
  expect(store.droppedByDevice()).toEqual([
    ['often', (dropped * 3) / 4],
    ['rare', dropped / 4],
  ]);
  // Readings are all gone: health is next. Then nothing is left that may go, and events are refused, not dropped.
  commit(store, { rows: { events: ['e'.repeat(59_500 - events.bytes)] } });
  expect(store.stats.readings.records).toBe(0);
  expect(store.stats.health.dropped).toBeGreaterThan(0);
  expect(() => commit(store, { rows: { events: ['e'.repeat(4_000)] } })).toThrow('quota');
  expect(store.stats.events).toMatchObject({ records: 61, dropped: 0 });
  expect(new Map(store.droppedByDevice()).get('rare')).toBe(300);
  store.close();
});

test('a transaction that fails counts nothing, and beyond its bound devices are counted together', async () => {
  const dir = await tempDir();
  const syncFaults = new Int32Array(new SharedArrayBuffer(4));
  const store = new OutboxStore(storeOptions(dir, { quotaBytes: 20_000, syncFaults }), 0);
  let n = 0;
  const put = () => commit(store, { rows: { readings: Array.from({ length: 500 }, () => reading(`d-${n++}`, n)) } });
  put();
  const before = store.droppedByDevice();
  syncFaults[0] = 1;
  expect(put).toThrow('injected');
  expect(store.droppedByDevice()).toEqual(before);
  while (n < DROP_DEVICES_MAX + 2_000) put();
  const drops = new Map(store.droppedByDevice());
  expect(drops.size).toBe(DROP_DEVICES_MAX + 1);
  expect(drops.get(OTHERS)).toBeGreaterThan(500);
  expect([...drops.values()].reduce((sum, count) => sum + count, 0)).toBe(store.stats.readings.dropped);
  store.close();
});

test('what was dropped is in the metrics, by lane and by device', async () => {
  const metrics = createMetrics();
  const file = join(await tempDir(), 'o.db');
  const outbox = new Outbox({ file, quotaBytes: 20_000, ageMsMax: 1e12, log: silentLog, metrics });
  onTestFinished(() => outbox.stop());
  await outbox.start();
  for (let i = 0; i < 10; i++)
    await outbox.append(
      'readings',
      Array.from({ length: 50 }, () => Buffer.from(reading('d-1', i))),
    );
  const { dropped } = outbox.stats.readings;
  expect(dropped).toBeGreaterThan(100);
  expect(await metrics.metrics()).toContain(`gewu_outbox_dropped{lane="readings"} ${dropped}`);
  expect(await metrics.metrics()).toContain(`gewu_outbox_dropped_readings{device="d-1"} ${dropped}`);
  await until(() => outbox.mostDropped[0]?.[1] === dropped);
  await expect(outbox.append('events', [Buffer.alloc(30_000, 'e')])).rejects.toMatchObject({ code: 'GEWU_OUTBOX_FULL' });
  expect(await metrics.metrics()).toContain('gewu_outbox_refused_total{lane="events"} 1');
});

test('a node whose outbox is no database any more goes on, and tells the centre', async () => {
  const dataDir = await tempDir();
  await writeFile(join(dataDir, 'outbox.db'), Buffer.alloc(50_000, 'no database'));
  const config = edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices: [coverDevice('mc-1')] });
  const node = createEdgeNode({ config, log: silentLog, clock: systemClock });
  onTestFinished(() => node.stop());
  await node.start();
  await until(() => node.outbox.stats.health.records >= 2);
  const chunk = await node.outbox.take('health', 1, Number.MAX_SAFE_INTEGER, 1e6, 1e6);
  const records = Buffer.from(chunk?.body ?? [])
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records).toContainEqual(
    expect.objectContaining({
      of: 'edge',
      state: 'degraded',
      reason: 'outbox-damaged',
      values: expect.objectContaining({ 'outbox.events.lost': 0 }),
    }),
  );
  expect(await node.metrics.metrics()).toContain('gewu_outbox_salvages_total 1');
});

test('a full queue starts at once, because its counters are kept', async () => {
  const dir = await tempDir();
  let store = new OutboxStore(storeOptions(dir), 0);
  const bulk = Array.from({ length: 10_000 }, (_, i) => reading(`d-${i % 500}`, i));
  for (let i = 0; i < 20; i++) commit(store, { rows: { readings: bulk } });
  store.close();
  const beganAt = performance.now();
  store = new OutboxStore(storeOptions(dir), 0);
  const tookMs = performance.now() - beganAt;
  expect(store.stats.readings.records).toBe(200_000);
  process.stderr.write(`start with 200,000 records: ${Math.round(tookMs)} ms\n`);
  expect(tookMs).toBeLessThan(1_000);
  store.close();
});
