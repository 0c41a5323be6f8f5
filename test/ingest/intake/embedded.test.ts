import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ackTopic, commandTopic, downFilter, FRAME_BYTES_MAX, upTopic } from '#grid/wire/mod.ts';
import { createEmbeddedPort, type EmbeddedPort } from '#ingest/intake/mod.ts';
import { GewuError, silentLog } from '#service/mod.ts';
import { until } from '#test/support/until.ts';
import { type Bench, frame, intakeOn, readingLine } from './support.ts';

let port: EmbeddedPort;
let bench: Bench;
const clients: MqttClient[] = [];

beforeEach(async () => {
  port = createEmbeddedPort({
    listener: { host: '127.0.0.1', port: 0 },
    authenticate: (edge, password) => password.toString() === `secret-of-${edge}`,
    log: silentLog,
    metrics: new Registry(),
  });
  bench = intakeOn(port);
  await bench.intake.start();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((c) => c.endAsync(true)));
  await bench.intake.stop();
});

async function edge(id: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port.listenPort}`, {
    clientId: id,
    username: id,
    password: `secret-of-${id}`,
    reconnectPeriod: 0,
    ...options,
  });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

describe('embedded port', () => {
  test('a frame is acknowledged on down/ack of its edge, and of no other', async () => {
    const [one, two] = [await edge('edge-01'), await edge('edge-02')];
    const heard: string[] = [];
    for (const [client, id] of [
      [one, 'edge-01'],
      [two, 'edge-02'],
    ] as const) {
      client.on('message', (topic, payload) => heard.push(`${id} ${topic} ${payload}`));
      await client.subscribeAsync(downFilter(id));
    }
    const f = frame([readingLine(1)], { first: 9 });
    await one.publishAsync(f.topic, f.payload, { qos: 1 });
    await until(() => heard.length > 0);
    expect(heard).toEqual([`edge-01 ${ackTopic('edge-01')} ${JSON.stringify(f.ack)}`]);
    expect(bench.readings.records).toHaveLength(1);
  });

  test('PUBACK without ack while the store fails; the frame sent again is acknowledged', async () => {
    const client = await edge('edge-01');
    const acks: unknown[] = [];
    client.on('message', (_topic, payload) => acks.push(JSON.parse(payload.toString())));
    await client.subscribeAsync(downFilter('edge-01'));
    const f = frame([readingLine(1)]);
    bench.readings.failing = new GewuError('GEWU_STORE_UNAVAILABLE', 'down');
    await client.publishAsync(f.topic, f.payload, { qos: 1 });
    await until(() => bench.readings.calls === 1);
    expect(acks).toEqual([]);
    bench.readings.failing = null;
    await until(async () => {
      if (acks.length === 0) await client.publishAsync(f.topic, f.payload, { qos: 1 });
      return acks.length > 0;
    });
    expect(acks[0]).toEqual(f.ack);
  });

  test('commands reach their edge', async () => {
    const client = await edge('edge-01');
    await client.subscribeAsync(downFilter('edge-01'));
    const message = new Promise<[string, Buffer]>((resolve) => client.once('message', (...m) => resolve([m[0], m[1]])));
    const command = { command: 'case-state', event: 'ev-1', open: true, ts: 1 } as const;
    port.send('edge-01', command);
    const [topic, payload] = await message;
    expect([topic, JSON.parse(payload.toString())]).toEqual([commandTopic('edge-01'), command]);
  });

  test.each([
    ['without a password', { password: undefined }],
    ['with the password of another', { password: 'secret-of-edge-02' }],
    ['with the client id of another', { clientId: 'edge-02' }],
    ['without a name', { username: undefined, password: undefined }],
  ])('a client %s is refused', async (_, options) => {
    await expect(edge('edge-01', options as IClientOptions)).rejects.toThrow(/not authorized|bad user name|Connection refused/i);
  });

  test.each([
    ['the topic of another edge', upTopic('edge-02', 'readings')],
    ['a topic for edges', ackTopic('edge-01')],
    ['a topic of nobody', 'x/y'],
  ])('who publishes to %s is disconnected, and nothing is taken', async (_, topic) => {
    const client = await edge('edge-01');
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.publish(topic, frame([readingLine(1)]).payload, { qos: 1 }, () => undefined);
    await closed;
    expect(bench.readings.records).toEqual([]);
    expect(bench.letters.all).toEqual([]);
  });

  test.each([
    '#',
    downFilter('edge-02'),
    'gewu/v1/+/down/ack',
    upTopic('edge-01', 'readings'),
    '$share/g/gewu/v1/edge-02/down/ack',
  ])('may not subscribe to %s', async (filter) => {
    const client = await edge('edge-01');
    const granted = await client.subscribeAsync(filter).catch(() => [{ qos: 128 }]);
    expect(granted.map((g) => g.qos)).toEqual([128]);
  });

  test('a frame of the largest size passes, a larger packet ends the connection', async () => {
    const client = await edge('edge-01');
    await client.publishAsync(upTopic('edge-01', 'readings'), Buffer.alloc(FRAME_BYTES_MAX, 'x'), { qos: 1 });
    await until(() => bench.letters.all.length === 1);
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.publish(upTopic('edge-01', 'readings'), Buffer.alloc(FRAME_BYTES_MAX + 4096, 'y'), { qos: 1 }, () => undefined);
    await closed;
    expect(bench.letters.all).toHaveLength(1);
  });
});
