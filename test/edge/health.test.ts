import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createEdgeNode } from '#edge/mod.ts';
import { createCellIndex } from '#grid/mod.ts';
import { checkHealthLine, type HealthLine } from '#grid/wire/mod.ts';
import { ManualClock, silentLog, systemClock } from '#service/mod.ts';
import { NodeHealth } from '../../edge/health/mod.ts';
import { createRegistry } from '../../edge/registry.ts';
import { coverDevice, deviceClient, edgeConfig } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

const HOUR = 3_600_000;

function nodeHealth(report?: (record: HealthLine) => Promise<void>) {
  const clock = new ManualClock();
  const records: HealthLine[] = [];
  const { site } = edgeConfig({ dataDir: '/nowhere', centreUrl: 'mqtt://127.0.0.1:9', devices: [coverDevice('mc-1')] });
  const health = new NodeHealth({
    edge: 'edge-01',
    registry: createRegistry(site, createCellIndex(site.cells), 'default'),
    health: {
      report: async (record) => {
        await report?.(record);
        records.push(record);
      },
    },
    values: () => ({ 'outbox.readings.records': 7 }),
    clock,
    log: silentLog,
  });
  onTestFinished(() => health.stop());
  return {
    clock,
    health,
    records,
    states: () => records.flatMap((r) => ('state' in r && r.of === 'device' ? [`${r.state} ${r.reason}`] : [])),
  };
}

test('the node says how it is, in records that the centre accepts', async () => {
  const { health, records } = nodeHealth();
  await health.start();
  await until(() => records.length === 1);
  expect(records[0]).toMatchObject({ of: 'edge', id: 'edge-01', reason: 'started', values: { 'outbox.readings.records': 7 } });
  expect(checkHealthLine.Check(records[0])).toBe(true);
});

test('a device is on line with its first report, off line after two and a half of its intervals, and back with the next', async () => {
  const { clock, health, states } = nodeHealth();
  await health.start();
  health.seen('mc-1');
  health.seen('mc-1');
  // A cover reports once a day.
  clock.advance(59 * HOUR);
  health.checkSilence();
  await until(() => states().length === 1);
  expect(states()).toEqual(['online reporting']);
  clock.advance(2 * HOUR);
  health.checkSilence();
  health.checkSilence();
  health.seen('mc-1');
  await until(() => states().length === 3);
  expect(states()).toEqual(['online reporting', 'offline silent', 'online reporting']);
});

test('what a device announces is told again when it could not be made durable', async () => {
  let full = true;
  const { health, states } = nodeHealth(async (record) => {
    if (full && record.of === 'device') throw new Error('full');
  });
  await expect(health.announced('mc-1', { state: 'degraded' })).rejects.toThrow('full');
  full = false;
  await health.announced('mc-1', { state: 'degraded' });
  await health.announced('mc-1', { state: 'degraded' });
  expect(states()).toEqual(['degraded announced']);
});

test('the firmware of a device is told when it says so, and again when it is another; since when it is well stays', async () => {
  const { clock, health, records } = nodeHealth();
  await health.announced('mc-1', { state: 'online', firmware: '1.0' });
  const since = clock.now();
  clock.advance(HOUR);
  await health.announced('mc-1', { state: 'online', firmware: '1.0' });
  await health.announced('mc-1', { state: 'online' });
  await health.announced('mc-1', { state: 'online', firmware: '1.1' });
  await health.announced('mc-1', { state: 'offline' });
  expect(records.map((r) => 'since' in r && [r.since, 'firmware' in r ? r.firmware : null])).toEqual([
    [since, '1.0'],
    [since, '1.1'],
    [since + HOUR, null],
  ]);
});

test('probes: alive, not ready without the centre by name, metrics of every part', async () => {
  const dataDir = join(await tempDir(), 'data');
  const config = edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices: [coverDevice('mc-1')] });
  const node = createEdgeNode({
    config: { ...config, probes: { host: '127.0.0.1', port: 0 } },
    log: silentLog,
    clock: systemClock,
  });
  await node.start();
  onTestFinished(() => node.stop());
  const client = await deviceClient(node.brokerPort, 'mc-1');
  for (const body of ['{"tilt_deg":1,"seq":1}', '{"tilt_deg":1,"seq":5}', 'x'])
    await client.publishAsync('devices/mc-1/telemetry', body, { qos: 1 });
  await client.endAsync();
  const get = (path: string) => fetch(`http://127.0.0.1:${node.probePort}${path}`);
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/nothing')).status).toBe(404);
  const ready = await get('/readyz');
  expect([ready.status, await ready.json()]).toEqual([503, { ready: false, missing: ['uplink'] }]);
  const metrics = await (await get('/metrics')).text();
  for (const line of [
    'gewu_edge_readings_total 2',
    'gewu_edge_dead_letters_total{code="GEWU_PAYLOAD_NOT_JSON"} 1',
    'gewu_edge_sequence_faults_total{what="sequenceGaps"} 3',
    'gewu_uplink_connected 0',
  ])
    expect(metrics).toContain(line);
  expect(metrics).toMatch(/gewu_outbox_records\{lane="readings"\} 2/);
});
