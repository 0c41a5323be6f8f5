import { once } from 'node:events';
import { connect as tcp } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEdgeNode, type EdgeNode } from '#edge/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { coverDevice, deviceClient, edgeConfig, mqttClient, secretOf } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

/** A node whose centre is away: everything stays in the outbox, where the tests look. */
let node: EdgeNode;
beforeAll(async () => {
  const dataDir = join(await tempDir({ keep: true }), 'data');
  const config = edgeConfig({ dataDir, centreUrl: 'mqtt://127.0.0.1:9', devices: [coverDevice('mc-1'), coverDevice('mc-2', 2)] });
  config.site.gateways = [{ id: 'gw-1', secret: secretOf('gw-1'), devices: ['mc-2'] }];
  node = createEdgeNode({ config, log: silentLog, clock: systemClock });
  await node.start();
});
afterAll(() => node.stop());

const closing = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', () => resolve()));
const telemetry = (id: string) => `devices/${id}/telemetry`;
const depth = () => node.outbox.stats;

async function lastLine(lane: 'readings' | 'health'): Promise<string> {
  const chunk = await node.outbox.take(lane, depth()[lane].lastSeq, Number.MAX_SAFE_INTEGER, 1e6, 1);
  return Buffer.from(chunk?.body ?? [])
    .toString()
    .trimEnd();
}

test('an acknowledged sample is in the outbox, canonical, with its tags', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const before = depth().readings.records;
  const ts = Date.now();
  await client.publishAsync(telemetry('mc-1'), JSON.stringify({ tilt_deg: 2.5, opened: false, seq: 7, ts }), { qos: 1 });
  expect(depth().readings.records).toBe(before + 1);
  expect(await lastLine('readings')).toBe(
    `manhole_cover,cell=110101001001001,device=mc-1,edge=edge-01 tilt_deg=2.5,opened=false,seq=7 ${ts}007`,
  );
  await client.endAsync();
});

test('anonymous, unknown and wrongly keyed clients are refused', async () => {
  const refused = (options: object) =>
    expect(mqttClient(node.brokerPort, options)).rejects.toThrow(/Not authorized|Bad user|closed|refused/i);
  await refused({ clientId: 'x' });
  await refused({ clientId: 'x', username: 'mc-1' });
  await refused({ clientId: 'mc-1', username: 'mc-1', password: 'wrong-password' });
  await refused({ clientId: 'nobody', username: 'nobody', password: secretOf('nobody') });
  await refused({ clientId: 'nobody', username: 'nobody', password: '' });
});

test.each(['mc-2', 'mc-9', '../mc-1'])('writing under the id %s ends the connection and stores nothing', async (other) => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const before = structuredClone(depth());
  const closed = closing(client);
  client.publish(`devices/${other}/telemetry`, '{"tilt_deg":1}', { qos: 1 });
  await closed;
  expect(depth().readings.lastSeq).toBe(before.readings.lastSeq);
  client.end(true);
});

test('a gateway writes for its devices and for no other', async () => {
  const client = await mqttClient(node.brokerPort, { clientId: 'gw-1', username: 'gw-1', password: secretOf('gw-1') });
  await client.publishAsync(telemetry('mc-2'), '{"tilt_deg":3}', { qos: 1 });
  expect(await lastLine('readings')).toContain('device=mc-2');
  const closed = closing(client);
  client.publish(telemetry('mc-1'), '{"tilt_deg":3}', { qos: 1 });
  await closed;
  client.end(true);
});

test('a device may listen to what comes down to it, and to nothing else', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  // 128 in the SUBACK: refused [MQTT-3.9.3]; mqtt.js makes an error of it.
  await expect(client.subscribeAsync('#')).rejects.toThrow();
  for (const filter of ['devices/mc-2/command', 'devices/mc-1/#', 'devices/mc-1/telemetry', 'devices/+/command', '$SYS/#'])
    await expect(client.subscribeAsync(filter)).rejects.toThrow();
  expect((await client.subscribeAsync('devices/mc-1/command'))[0]?.qos).not.toBe(128);
  await client.endAsync();
});

test.each([
  ['not JSON', '{', 'GEWU_PAYLOAD_NOT_JSON'],
  ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'GEWU_PAYLOAD_NOT_JSON'],
  ['NaN', '{"tilt_deg":NaN}', 'GEWU_PAYLOAD_NOT_JSON'],
  ['infinite', '{"tilt_deg":1e999}', 'GEWU_READING_NOT_FINITE'],
  ['wrong type', '{"tilt_deg":"12"}', 'GEWU_READING_TYPE'],
  ['nested', '{"tilt_deg":{"a":1}}', 'GEWU_PAYLOAD_TOO_DEEP'],
  ['very deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 'GEWU_READING_TYPE'],
  ['unknown field', '{"tilt":1}', 'GEWU_READING_FIELD_UNKNOWN'],
  ['prototype', '{"__proto__":1}', 'GEWU_READING_FIELD_UNKNOWN'],
  ['nothing', '', 'GEWU_PAYLOAD_NOT_JSON'],
  ['empty array', '[]', 'GEWU_PAYLOAD_EMPTY'],
  ['one bad sample in three', '[{"tilt_deg":1},{"tilt_deg":2},{"tilt_deg":null}]', 'GEWU_READING_TYPE'],
])('%s: acknowledged, dead-lettered with its code, neighbours go on', async (_name, payload, code) => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const before = structuredClone(depth());
  await client.publishAsync(telemetry('mc-1'), payload, { qos: 1 });
  expect(depth().readings.lastSeq).toBe(before.readings.lastSeq);
  expect(JSON.parse(await lastLine('health'))).toMatchObject({ of: 'dead-letter', code, id: 'mc-1', edge: 'edge-01' });
  await client.publishAsync(telemetry('mc-1'), '{"tilt_deg":1}', { qos: 1 });
  expect(depth().readings.lastSeq).toBe(before.readings.lastSeq + 1);
  await client.endAsync();
});

test('whatever is sent is accepted or dead-lettered, and nothing is both', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const payload = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc.string({ maxLength: 200 }),
    fc
      .record({ tilt_deg: fc.oneof(fc.double(), fc.boolean(), fc.string()), seq: fc.integer() }, { requiredKeys: [] })
      .map((o) => JSON.stringify(o)),
    fc.uint8Array({ maxLength: 200 }).map((a) => Buffer.from(a)),
  );
  const before = structuredClone(depth());
  const sent = fc.sample(payload, 500).filter((p) => !(typeof p === 'string' && p.startsWith('[')));
  await Promise.all(sent.map((p) => client.publishAsync(telemetry('mc-1'), p as string, { qos: 1 })));
  const accepted = depth().readings.lastSeq - before.readings.lastSeq;
  const chunk = await node.outbox.take('health', before.health.lastSeq + 1, Number.MAX_SAFE_INTEGER, 1e8, 1e6);
  const dead = Buffer.from(chunk?.body ?? [])
    .toString()
    .split('\n')
    .filter((l) => l.includes('"of":"dead-letter"')).length;
  expect(accepted).toBeGreaterThan(0);
  expect(accepted + dead).toBe(sent.length);
  await client.endAsync();
}, 30_000);

test('a packet that declares more than is allowed is refused by its header', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const closed = closing(client);
  client.publish(telemetry('mc-1'), Buffer.alloc(80 * 1024, 'x'), { qos: 1 });
  await closed;
  client.end(true);
  // A declared length of 256 MB, of which five bytes come.
  const socket = tcp(node.brokerPort, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0x00]));
  await once(socket, 'close');
});

test('a device that writes faster than it may is slowed down, and loses nothing', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-2');
  const before = depth().readings.lastSeq;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: 300 }, (_, seq) =>
      client.publishAsync(telemetry('mc-2'), JSON.stringify({ tilt_deg: 1, seq }), { qos: 1 }),
    ),
  );
  // 200 a second are shipped: the burst covers 200, the other 100 wait half a second.
  expect(performance.now() - began).toBeGreaterThan(400);
  expect(depth().readings.lastSeq - before).toBe(300);
  await client.endAsync();
});

test('a condition that holds for its confirm time becomes an event in its unit grid, on its component', async () => {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const before = depth().events.lastSeq;
  const began = Date.now();
  await client.publishAsync(telemetry('mc-1'), '{"opened":true}', { qos: 1 });
  await until(() => depth().events.lastSeq > before, { timeoutMs: 6000 });
  const chunk = await node.outbox.take('events', before + 1, Number.MAX_SAFE_INTEGER, 1e6, 10);
  const event = JSON.parse(Buffer.from(chunk?.body ?? []).toString());
  expect(event).toMatchObject({
    type: 'gewu.event.raised',
    data: {
      class: { flag: 1, code: '0102', fault: 'cover_open' },
      severity: 'critical',
      place: { cell: '110101001001001', component: '1101010102000001' },
      origin: { by: 'sensor', device: 'mc-1', rule: 'cover-opened', field: 'opened', value: true },
    },
  });
  expect(event.data.confirmedAt - event.data.startedAt).toBe(3000);
  expect(event.data.startedAt - began).toBeLessThan(1000);
  await client.publishAsync(telemetry('mc-1'), '{"opened":false}', { qos: 1 });
  await until(() => depth().events.lastSeq > before + 1, { timeoutMs: 6000 });
  await client.endAsync();
}, 15_000);
