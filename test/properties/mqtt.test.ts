import { join } from 'node:path';
import fc from 'fast-check';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEdgeNode, type EdgeNode } from '#edge/mod.ts';
import { type Ack, ackTopic, FRAME_BYTES_MAX, parseLine, parseUpTopic } from '#grid/wire/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { TestCentre } from '../ingest/api/fixture.ts';
import { coverDevice, deviceClient, edgeConfig, mqttClient } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { deviceTopic, payloadBytes, payloadSpec } from './arbitraries.ts';
import { budget, report } from './budget.ts';
import { buildFrame, frameSpec } from './frames.ts';
import { type Expected, expectedOf } from './oracle.ts';

/** The same inputs over real sockets, disks and threads: device -> edge -> centre -> its stores, and a hostile edge -> centre. */
const DEVICE = 'mc-1';
const IN_FLIGHT = 50;
const PASSWORDS = { 'edge-01': 'edge-password', 'edge-02': 'edge-2-password' } as const;
let centre: TestCentre;
let node: EdgeNode;
/** What the edge put into its outbox. */
const appended = { readings: [] as string[], health: [] as string[] };
let accepted = 0;

beforeAll(async () => {
  const { site } = edgeConfig({ dataDir: '/nowhere', centreUrl: 'mqtt://127.0.0.1:9', devices: [coverDevice(DEVICE)] });
  const edges = Object.entries(PASSWORDS).map(([id, password]) => ({ id, password, ...(id === 'edge-01' ? { site } : {}) }));
  centre = await TestCentre.start({ edges });
  const config = edgeConfig({
    dataDir: join(await tempDir({ keep: true }), 'data'),
    centreUrl: `mqtt://127.0.0.1:${centre.centre.brokerPort}`,
    devices: [coverDevice(DEVICE)],
  });
  config.broker.limits = { ...config.broker.limits, messagesPerSPerClientMax: 1e6, connectRatePerSMax: 1e5 };
  node = createEdgeNode({ config, log: silentLog, clock: systemClock });
  const append = node.outbox.append.bind(node.outbox);
  node.outbox.append = (lane, bodies, state) => {
    if (lane === 'readings') accepted++;
    if (lane !== 'events') appended[lane].push(...bodies.map((b) => Buffer.from(b).toString('utf8')));
    return append(lane, bodies, state);
  };
  await node.start();
});
afterAll(async () => {
  await node.stop();
  await centre.stop();
});

const drawn = <T>(arbitrary: fc.Arbitrary<T>, share: number): T[] => {
  const { numRuns, seed } = budget(share, 1);
  return fc.sample(arbitrary, { numRuns, ...(seed === undefined ? {} : { seed }) });
};

/** True: PUBACK. False: the broker ended the connection. */
function publish(client: MqttClient, topic: string, payload: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const closed = () => resolve(false);
    client.once('close', closed);
    client.publish(topic, payload, { qos: 1 }, (error) => {
      client.off('close', closed);
      if (!error) resolve(true);
      else if (client.connected) reject(error);
      else resolve(false);
    });
  });
}

async function refused(connect: () => Promise<MqttClient>, topic: string, payload: Buffer): Promise<void> {
  const client = await connect();
  expect(await publish(client, topic, payload)).toBe(false);
  client.end(true);
}

/** A point as it can be compared: the API tells ms, and several points may share one. */
const pointOf = (ts: number, fields: object) => JSON.stringify([ts, Object.entries(fields).sort()]);

async function storedPoints(): Promise<string[]> {
  const now = Date.now();
  const points: string[] = [];
  for (let from = now - 8 * 86_400_000; ; ) {
    const path = `/api/v1/readings?device=${DEVICE}&from=${from}&to=${now + 600_000}&resolution=raw&limit=20000`;
    const { body } = await centre.get(path);
    for (const { ts, fields } of body.points) points.push(pointOf(ts, fields));
    if (!body.truncated) return points.sort();
    from = body.points.at(-1).ts + 1;
  }
}

async function deadLetters(edge: string): Promise<number> {
  const { body } = await centre.get(`/api/v1/dead-letters/counts?edge=${edge}`, 'ops');
  return body.items.reduce((sum: number, c: { count: number }) => sum + c.count, 0);
}

test('device to store over MQTT: refused + accepted + dead-lettered = sent, and what is stored is what was said', async () => {
  const messages = drawn(fc.record({ topic: deviceTopic(DEVICE), payload: payloadSpec.map(payloadBytes) }), 0.05);
  const mine = messages.filter((m) => parseOwn(m.topic));
  const others = messages.filter((m) => !parseOwn(m.topic) && isPublishable(m.topic));
  const client = (await deviceClient(node.brokerPort, DEVICE)).setMaxListeners(2 * IN_FLIGHT);
  let acked = 0;
  for (let i = 0; i < mine.length; i += IN_FLIGHT) {
    const outcomes = await Promise.all(mine.slice(i, i + IN_FLIGHT).map((m) => publish(client, m.topic, m.payload)));
    acked += outcomes.filter(Boolean).length;
  }
  expect(acked).toBe(mine.length);
  const before = node.outbox.stats.readings.lastSeq;
  for (const m of others) await refused(() => deviceClient(node.brokerPort, DEVICE), m.topic, m.payload);
  expect(node.outbox.stats.readings.lastSeq).toBe(before);
  await client.endAsync();

  const letters = appended.health.map((l) => JSON.parse(l)).filter((h) => h.of === 'dead-letter');
  const dead = letters.length;
  const telemetry = (topic: string) => topic.endsWith('/telemetry');
  const ofTelemetry = letters.filter((l) => telemetry(l.topic)).length;
  expect(accepted + ofTelemetry).toBe(mine.filter((m) => telemetry(m.topic)).length);
  const totals = (await node.metrics.getSingleMetric('gewu_edge_dead_letters_total')?.get())?.values ?? [];
  expect(totals.reduce((sum, v) => sum + v.value, 0)).toBe(dead);
  await until(() => node.outbox.stats.readings.records + node.outbox.stats.health.records === 0, {
    timeoutMs: 60_000,
    what: 'an empty outbox',
  });
  expect(await deadLetters('edge-01')).toBe(dead);
  // By its time in us, so that what came again counts once.
  const wanted = new Map(appended.readings.map((line) => [Number(line.slice(line.lastIndexOf(' ') + 1)), fieldsOf(line)]));
  expect(await storedPoints()).toEqual([...wanted].map(([us, fields]) => pointOf(Math.floor(us / 1000), fields)).sort());
  report('over MQTT', {
    sent: mine.length + others.length,
    refused: others.length,
    accepted,
    readings: appended.readings.length,
    dead,
  });
}, 120_000);

const parseOwn = (topic: string) => topic === `devices/${DEVICE}/telemetry` || topic === `devices/${DEVICE}/status`;
/** What a client library lets out. */
const isPublishable = (topic: string) => topic !== '' && !/[#+\ud800-\udfff]/.test(topic);

function fieldsOf(line: string): object {
  const reading = parseLine(line);
  if ('fault' in reading) throw new Error(reading.fault);
  return reading.fields;
}

test('a hostile edge over MQTT: exactly the frames with a readable header are acknowledged, foreign topics and too large packets end the connection', async () => {
  const edge = 'edge-02';
  const frames = drawn(frameSpec, 0.05).map((spec, i) => buildFrame({ ...spec, edge: spec.edge === null ? null : edge }, i));
  const connect = () => mqttClient(centre.centre.brokerPort ?? 0, { clientId: edge, username: edge, password: PASSWORDS[edge] });
  const expected = frames.map((f) => ({ ...f, expected: expectedOf(f.topic, f.payload) })).filter((f) => isPublishable(f.topic));
  const isOwn = (topic: string) => parseUpTopic(topic)?.edge === edge;
  const isTaken = (f: { topic: string; payload: Buffer }) => isOwn(f.topic) && f.payload.length <= FRAME_BYTES_MAX;
  const taken = expected.filter(isTaken);
  const others = expected.filter((f) => !isTaken(f));
  const client = (await connect()).setMaxListeners(2 * IN_FLIGHT);
  const acks = new Set<string>();
  client.on('message', (_topic, payload) => acks.add(keyOf(JSON.parse(payload.toString()) as Ack)));
  await client.subscribeAsync(ackTopic(edge), { qos: 0 });
  for (let i = 0; i < taken.length; i += IN_FLIGHT) {
    const part = taken.slice(i, i + IN_FLIGHT);
    expect(await Promise.all(part.map((f) => publish(client, f.topic, f.payload)))).not.toContain(false);
    const wanted = part.flatMap((f) => ackOf(f.expected));
    await until(() => wanted.every((key) => acks.has(key)), { what: `the acks of ${i}...` });
  }
  await client.endAsync();
  for (const f of others) await refused(connect, f.topic, f.payload);
  expect([...acks].sort()).toEqual([...new Set(taken.flatMap((f) => ackOf(f.expected)))].sort());
  expect(await deadLetters(edge)).toBeGreaterThan(0);
  report('frames over MQTT', { sent: taken.length + others.length, refused: others.length, acked: acks.size });
}, 120_000);

const keyOf = ({ epoch, lane, first, last }: Ack) => `${epoch} ${lane} ${first} ${last}`;
const ackOf = (e: Expected) => (e.kind === 'foreign' || e.ack === null ? [] : [keyOf(e.ack.ack as Ack)]);
