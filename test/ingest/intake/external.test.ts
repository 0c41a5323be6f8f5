import { rm } from 'node:fs/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ServerProcess, startMosquitto } from '#cli/servers/mod.ts';
import { ackTopic } from '#grid/wire/mod.ts';
import { createExternalPort, type IntakePort } from '#ingest/intake/mod.ts';
import { type Service, silentLog } from '#service/mod.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { type Bench, frame, intakeOn, readingLine } from './support.ts';

let dir: string;
let mosquitto: ServerProcess;
const running: (Service | { stop(): Promise<void> })[] = [];

beforeAll(async () => {
  dir = await tempDir({ keep: true });
  mosquitto = await startMosquitto({ dir });
});
afterEach(async () => {
  for (const r of running.splice(0).reverse()) await r.stop();
});
afterAll(async () => {
  await mosquitto.stop();
  await rm(dir, { recursive: true, force: true });
});

async function intake(sharedGroup?: string): Promise<Bench & { port: IntakePort }> {
  const port = createExternalPort({ config: { url: mosquitto.url, sharedGroup }, log: silentLog });
  const bench = intakeOn(port);
  running.push(bench.intake);
  await bench.intake.start();
  return { ...bench, port };
}

async function edge(acks: unknown[]): Promise<MqttClient> {
  const client = await connectAsync(mosquitto.url, { clientId: 'edge-01', reconnectPeriod: 200 });
  running.push({ stop: () => client.endAsync(true) });
  client.on('message', (_topic, payload) => acks.push(JSON.parse(payload.toString()).first));
  await client.subscribeAsync(ackTopic('edge-01'), { qos: 0 });
  return client;
}

describe('external port, on Mosquitto', () => {
  test('a frame is stored and acknowledged', async () => {
    const one = await intake();
    expect(one.port.ready()).toBe(true);
    const acks: unknown[] = [];
    const client = await edge(acks);
    const f = frame([readingLine(1)], { first: 5 });
    await client.publishAsync(f.topic, f.payload, { qos: 1 });
    await until(() => acks.length === 1);
    expect(acks).toEqual([5]);
    expect(one.readings.records).toHaveLength(1);
  });

  test('two replicas of one group share the frames, each is stored once', async () => {
    const [one, two] = [await intake('centre'), await intake('centre')];
    const acks: unknown[] = [];
    const client = await edge(acks);
    const frames = Array.from({ length: 200 }, (_, i) => frame([readingLine(i)], { first: i + 1 }));
    await Promise.all(frames.map((f) => client.publishAsync(f.topic, f.payload, { qos: 1 })));
    await until(() => acks.length === 200);
    expect(new Set(acks).size).toBe(200);
    expect(one.readings.records.length + two.readings.records.length).toBe(200);
    expect(Math.min(one.readings.records.length, two.readings.records.length)).toBeGreaterThan(20);
  });

  test('when one replica goes, the other takes what the edge sends again', async () => {
    const [one, two] = [await intake('centre'), await intake('centre')];
    const acks = new Set<unknown>();
    const client = await edge({ push: (n: unknown) => acks.add(n) } as unknown as unknown[]);
    one.readings.gate = new Promise(() => undefined);
    const frames = Array.from({ length: 40 }, (_, i) => frame([readingLine(i)], { first: i + 1 }));
    for (const f of frames) await client.publishAsync(f.topic, f.payload, { qos: 1 });
    await until(() => one.readings.calls > 0 && acks.size > 0);
    await one.intake.stop();
    await until(
      async () => {
        for (const f of frames) if (!acks.has(f.ack.first)) await client.publishAsync(f.topic, f.payload, { qos: 1 });
        return acks.size === 40;
      },
      { everyMs: 100 },
    );
    expect(two.readings.records.length).toBeGreaterThanOrEqual(20);
  });

  test('a broker that goes and comes: ready tells, and frames flow again', async () => {
    const one = await intake();
    const acks: unknown[] = [];
    const client = await edge(acks);
    await mosquitto.kill();
    await until(() => !one.port.ready());
    one.port.ack('edge-01', { epoch: 'e', lane: 'readings', first: 1, last: 1 });
    await mosquitto.restart();
    await until(() => one.port.ready() && client.connected);
    const f = frame([readingLine(2)], { first: 2 });
    await until(
      async () => {
        await client.publishAsync(f.topic, f.payload, { qos: 1 });
        return acks.includes(2);
      },
      { everyMs: 100 },
    );
    expect(acks).not.toContain(1);
  });

  test('without a broker start does not hang, and stop is quick', async () => {
    const port = createExternalPort({ config: { url: 'mqtt://127.0.0.1:9' }, startMsMax: 200, log: silentLog });
    await port.start();
    expect(port.ready()).toBe(false);
    await port.stop();
    await port.stop();
  });
});
