import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEdgeNode, type EdgeNode } from '#edge/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { DeviceReports, type Report } from '../../edge/sensors/mod.ts';
import { coverDevice, deviceClient, edgeConfig } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';

const RULE = { silenceS: 60, deadband: { tilt_deg: 0.5 } };
const START = 1_700_000_000_000;

/** A device as it reports: not always every field, sometimes with something that the rules conclude from it. */
const reports = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 1, max: 30_000 }),
    tilt: fc.option(fc.double({ min: 0, max: 3, noNaN: true }), { nil: undefined }),
    opened: fc.option(fc.boolean(), { nil: undefined }),
    concluded: fc.boolean(),
  }),
  { minLength: 1, maxLength: 80 },
);

function asReports(
  steps: { afterMs: number; tilt: number | undefined; opened: boolean | undefined; concluded: boolean }[],
): Report[] {
  let ts = START;
  return steps.flatMap(({ afterMs, tilt, opened, concluded }) => {
    ts += afterMs;
    const fields = { ...(tilt === undefined ? {} : { tilt_deg: tilt }), ...(opened === undefined ? {} : { opened }) };
    return Object.keys(fields).length === 0
      ? []
      : [{ ts, fields, late: false, concluded: concluded && tilt !== undefined && tilt > 2.9 }];
  });
}

test('a stored value, held until the next, is never off by more than its deadband', () => {
  fc.assert(
    fc.property(reports, (steps) => {
      const device = new DeviceReports(RULE);
      const held: Record<string, number | boolean> = {};
      for (const report of asReports(steps)) {
        if (device.keeps(report)) Object.assign(held, report.fields);
        for (const [name, value] of Object.entries(report.fields)) {
          if (typeof value === 'number')
            expect(Math.abs(value - (held[name] as number))).toBeLessThanOrEqual(RULE.deadband.tilt_deg);
          else expect(held[name]).toBe(value);
        }
      }
    }),
  );
});

test('while a device reports a field, no two stored ones are further apart than the silence and its last interval', () => {
  fc.assert(
    fc.property(reports, (steps) => {
      const device = new DeviceReports(RULE);
      let [stored, before] = [0, 0];
      for (const report of asReports(steps.map((s) => ({ ...s, tilt: s.tilt ?? 0, opened: true })))) {
        const kept = device.keeps(report);
        const interval = report.ts - (before || report.ts);
        // The one after this one comes after about as long: were this one not stored, it would be too late.
        if (!kept) expect(report.ts - stored + interval).toBeLessThanOrEqual(RULE.silenceS * 1000);
        if (kept) stored = report.ts;
        before = report.ts;
      }
    }),
  );
});

test('what rules concluded, and what came late, is stored whatever it says', () => {
  const device = new DeviceReports(RULE);
  const same = { fields: { tilt_deg: 1 }, late: false, concluded: false };
  expect(device.keeps({ ...same, ts: START })).toBe(true);
  expect(device.keeps({ ...same, ts: START + 1000 })).toBe(false);
  expect(device.keeps({ ...same, ts: START + 2000, concluded: true })).toBe(true);
  expect(device.keeps({ ...same, ts: START - 5000, late: true })).toBe(true);
  // It stands between what was stored and what comes now.
  expect(device.keeps({ ...same, ts: START + 3000 })).toBe(true);
});

test('what was to be stored and was not is no yardstick', async () => {
  const device = new DeviceReports(RULE);
  const same = { fields: { tilt_deg: 1 }, late: false, concluded: false };
  expect(device.keeps({ ...same, ts: START })).toBe(true);
  const writing = Promise.reject(new Error('the disk is full'));
  device.written(writing);
  await writing.catch(() => undefined);
  await new Promise(setImmediate);
  expect(device.keeps({ ...same, ts: START + 1000 })).toBe(true);
});

let node: EdgeNode;
beforeAll(async () => {
  const dataDir = join(await tempDir({ keep: true }), 'data');
  const config = edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices: [coverDevice('mc-1')] });
  node = createEdgeNode({ config: { ...config, report: { manhole_cover: RULE } }, log: silentLog, clock: systemClock });
  await node.start();
});
afterAll(() => node.stop());

test('a quiet device costs one reading, each sample has its PUBACK, the saving is counted, and an alarm still comes', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const say = (fields: object, seq: number) =>
    client.publishAsync('devices/mc-1/telemetry', JSON.stringify({ ...fields, seq, ts: Date.now() }), { qos: 1 });
  for (let seq = 1; seq <= 20; seq++) await say({ tilt_deg: 1 + (seq % 2) / 10, opened: false }, seq);
  expect(node.outbox.stats.readings.records).toBe(1);
  const value = async (name: string) => (await node.metrics.getSingleMetric(name)?.get())?.values[0]?.value;
  expect(await value('gewu_edge_readings_suppressed_total')).toBe(19);
  expect(await value('gewu_edge_readings_forwarded_total')).toBe(1);
  // Overturned: critical, without a confirm time.
  await say({ tilt_deg: 120, opened: true }, 21);
  expect(node.outbox.stats.readings.records).toBe(2);
  expect(node.outbox.stats.events.records).toBeGreaterThanOrEqual(1);
  const chunk = await node.outbox.take('readings', 1, Number.MAX_SAFE_INTEGER, 1e6, 10);
  // The one that is stored tells how many before it were not.
  expect(Buffer.from(chunk?.body ?? []).toString()).toMatch(/seq=21,suppressed=19 \d{16}\n$/);
  await client.endAsync();
});
