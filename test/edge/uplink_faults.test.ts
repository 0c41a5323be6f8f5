import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, startMosquitto } from '#cli/servers/mod.ts';
import { type Ack, ackTopic, decodeFrame, parseUpTopic, UP_FILTER } from '#grid/wire/mod.ts';
import { FaultProxy } from '#simulators/faults/mod.ts';
import { FakeCentre, type SeenFrame } from '../support/centre.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { bareUplink } from '../support/uplink.ts';

async function startCentre(): Promise<FakeCentre> {
  const centre = new FakeCentre(await freePort());
  await centre.start();
  onTestFinished(() => centre.stop());
  return centre;
}

const ackOf = ({ epoch, lane, first, last }: SeenFrame): Ack => ({ epoch, lane, first, last });

test('a connection that swallows everything is given up soon when something is on the way', async () => {
  const centre = await startCentre();
  const proxy = new FaultProxy({ targetPort: centre.port });
  await proxy.start();
  onTestFinished(() => proxy.stop());
  const { uplink, put, waiting, told } = await bareUplink({ url: `mqtt://127.0.0.1:${proxy.port}` });
  await uplink.start();
  await put('readings', 1);
  await until(() => uplink.connected && waiting() === 0);
  proxy.set({ kind: 'blackhole' });
  const began = performance.now();
  await put('readings', 1);
  // The way is free again, but this connection is dead and nobody says so.
  proxy.set(null);
  await until(() => told.some((t) => t.code === 'GEWU_UPLINK_SILENT'), { timeoutMs: 10_000 });
  // 5.5 s, and what a busy machine adds; a keepalive alone needs three times as long.
  expect(performance.now() - began).toBeLessThan(8_000);
  await until(() => waiting() === 0, { timeoutMs: 5_000 });
}, 30_000);

test('a broker that restarts empty, and a centre that was away meanwhile: everything arrives', async () => {
  const dir = await tempDir();
  const broker = await startMosquitto({ dir });
  onTestFinished(() => broker.kill());
  const records = new Set<string>();
  const startReplica = () => {
    const client = connect(broker.url, { reconnectPeriod: 100 });
    client.on('error', () => undefined);
    client.on('connect', () => client.subscribe(UP_FILTER, { qos: 1 }));
    client.on('message', (topic, payload) => answer(client, topic, payload));
    onTestFinished(() => client.endAsync(true).then(() => undefined));
    return client;
  };
  const answer = (client: MqttClient, topic: string, payload: Buffer) => {
    const frame = decodeFrame(payload);
    if (!frame.ok) throw new Error(frame.detail);
    for (const line of frame.body.toString().split('\n').filter(Boolean)) records.add(line);
    const { epoch, lane, first, last } = frame.header;
    client.publish(ackTopic(parseUpTopic(topic)?.edge ?? ''), JSON.stringify({ epoch, lane, first, last }), { qos: 0 });
  };
  const centre = startReplica();
  const { uplink, put, waiting } = await bareUplink({ url: broker.url });
  await uplink.start();
  const sent = await put('readings', 100);
  await until(() => waiting() === 0);
  // The broker takes frames and gives PUBACKs, but nobody is there who would store them.
  await centre.endAsync(true);
  sent.push(...(await put('events', 10)), ...(await put('readings', 200)));
  await until(() => uplink.flight.frames >= 2);
  await broker.kill();
  await rm(join(dir, 'mosquitto', 'mosquitto.db'), { force: true });
  sent.push(...(await put('readings', 100)));
  await broker.restart();
  startReplica();
  await until(() => waiting() === 0, { timeoutMs: 15_000 });
  expect([...records].sort()).toEqual(sent.sort());
}, 40_000);

test('a refused password is told once, never ends the tries, and heals without a restart', async () => {
  const centre = await startCentre();
  centre.password = 'another';
  const { uplink, put, waiting, told } = await bareUplink({ url: centre.url });
  let tries = 0;
  await uplink.start();
  const refusals = () => told.filter((t) => t.code === 'GEWU_UPLINK_REFUSED').length;
  const sent = await put('readings', 3);
  await until(() => refusals() === 1);
  const before = performance.now();
  // Two more tries at least: the delays are 0.5-1 s, 1-2 s.
  await until(() => performance.now() - before > 3_000);
  tries = refusals();
  centre.password = 'edge-password';
  await until(() => waiting() === 0, { timeoutMs: 10_000 });
  expect(tries).toBe(1);
  expect(centre.records('readings')).toEqual(sent);
  // Changed again: told again.
  centre.password = 'a third';
  await centre.stop();
  await centre.start();
  await until(() => refusals() === 2, { timeoutMs: 10_000 });
}, 40_000);

test('acks that come twice and in reverse order free each frame once', async () => {
  const centre = await startCentre();
  const held: SeenFrame[] = [];
  centre.answer = (frame) => {
    held.push(frame);
    if (held.length < 3) return [];
    const acks = held.splice(0).reverse().map(ackOf);
    return [...acks, ...acks];
  };
  const { uplink, put, waiting } = await bareUplink({ url: centre.url });
  const sent = [...(await put('events', 3)), ...(await put('health', 3)), ...(await put('readings', 3))];
  await uplink.start();
  await until(() => waiting() === 0, { timeoutMs: 15_000 });
  expect([...new Set(['events', 'health', 'readings'].flatMap((lane) => centre.records(lane)))]).toEqual(sent);
}, 30_000);

test('a lane that is never acknowledged delays no other', async () => {
  const centre = await startCentre();
  const { answer } = centre;
  centre.answer = (frame) => (frame.lane === 'events' ? [] : answer(frame));
  const { uplink, outbox, put } = await bareUplink({ url: centre.url });
  for (let i = 0; i < 10; i++) await put('events', 5_000);
  await put('health', 100);
  for (let i = 0; i < 4; i++) await put('readings', 5_000);
  await uplink.start();
  await until(() => outbox.stats.health.records + outbox.stats.readings.records === 0, { timeoutMs: 10_000 });
  expect(outbox.stats.events.records).toBe(50_000);
}, 30_000);

test('while a backlog drains to a slow centre, live readings are stored within a second, events sooner', async () => {
  const centre = await startCentre();
  let busyUntil = 0;
  /** When the centre says so. */
  const stored = new Map<string, number>();
  // One store that takes 40 ms for a frame of 5,000 records, behind one queue.
  centre.answer = (frame) => {
    busyUntil = Math.max(busyUntil, performance.now()) + 2 + (40 * frame.count) / 5_000;
    setTimeout(() => {
      for (const record of frame.records) stored.set(record, performance.now());
      centre.send('edge-01', ackTopic('{edge}'), ackOf(frame));
    }, busyUntil - performance.now());
    return [];
  };
  const { uplink, put, outbox } = await bareUplink({ url: centre.url });
  for (let i = 0; i < 40; i++) await put('readings', 5_000);
  await uplink.start();
  await until(() => centre.frames.length >= 5);
  const live: { body: string; at: number }[] = [];
  const events: typeof live = [];
  for (let i = 0; outbox.stats.readings.records > 20_000 && i < 100; i++) {
    live.push({ at: performance.now(), body: (await put('readings', 1))[0] as string });
    if (i % 5 === 0) events.push({ at: performance.now(), body: (await put('events', 1))[0] as string });
    await until(() => performance.now() - (live.at(-1)?.at ?? 0) > 20, { everyMs: 5 });
  }
  const sent = [...live, ...events];
  await until(() => sent.every(({ body }) => stored.has(body)), { timeoutMs: 5_000 });
  const p95 = (of: typeof live) => {
    const ms = of.map(({ body, at }) => (stored.get(body) as number) - at).sort((a, b) => a - b);
    return ms[Math.ceil(ms.length * 0.95) - 1] as number;
  };
  console.info({ live: live.length, p95Ms: Math.round(p95(live)), eventsP95Ms: Math.round(p95(events)) });
  expect(live.length).toBeGreaterThan(10);
  expect(p95(live)).toBeLessThan(1_000);
  expect(p95(events)).toBeLessThan(500);
}, 40_000);
