import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '#cli/servers/mod.ts';
import { createEdgeNode, type EdgeNode } from '#edge/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { FakeCentre } from '../support/centre.ts';
import { coverDevice, deviceClient, edgeConfig } from '../support/edge.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

async function setUp(centrePort: number, dataDir?: string): Promise<EdgeNode> {
  const dir = dataDir ?? join(await tempDir(), 'data');
  const config = edgeConfig({ dataDir: dir, centreUrl: `mqtt://127.0.0.1:${centrePort}`, devices: [coverDevice('mc-1')] });
  const node = createEdgeNode({ config, log: silentLog, clock: systemClock });
  await node.start();
  onTestFinished(() => node.stop());
  return node;
}

async function centreOn(port: number): Promise<FakeCentre> {
  const centre = new FakeCentre(port);
  await centre.start();
  onTestFinished(() => centre.stop());
  return centre;
}

let seq = 0;
async function publish(node: EdgeNode, count: number): Promise<number[]> {
  const client = await deviceClient(node.brokerPort, 'mc-1');
  const seqs = Array.from({ length: count }, () => ++seq);
  await Promise.all(
    seqs.map((n) => client.publishAsync('devices/mc-1/telemetry', JSON.stringify({ tilt_deg: 1, seq: n }), { qos: 1 })),
  );
  await client.endAsync();
  return seqs;
}

const seqsAt = (centre: FakeCentre) => centre.records('readings').map((line) => Number(/seq=(\d+)/.exec(line)?.[1]));
const distinct = (values: number[]) => [...new Set(values)].sort((a, b) => a - b);
const waiting = (node: EdgeNode) => node.outbox.stats.readings.records;

test('frames arrive once, and the outbox is empty after the acks', async () => {
  const centre = await centreOn(await freePort());
  const node = await setUp(centre.port);
  const sent = await publish(node, 50);
  await until(() => waiting(node) === 0);
  expect(seqsAt(centre)).toEqual(sent);
});

test('without acks nothing leaves the outbox, and frames are sent again; late acks free them', async () => {
  const centre = await centreOn(await freePort());
  const answer = centre.answer;
  centre.answer = () => [];
  const node = await setUp(centre.port);
  const sent = await publish(node, 5);
  await until(() => seqsAt(centre).length >= 10, { timeoutMs: 15_000 });
  expect(waiting(node)).toBe(5);
  centre.answer = answer;
  await until(() => waiting(node) === 0, { timeoutMs: 15_000 });
  expect(distinct(seqsAt(centre))).toEqual(sent);
}, 40_000);

test('acks of another epoch, lane or range free nothing; a second ack does no harm', async () => {
  const centre = await centreOn(await freePort());
  centre.answer = ({ epoch, lane, first, last }) => [
    { epoch: 'another', lane, first, last },
    { epoch, lane, first, last: last + 1 },
    { epoch, lane: lane === 'events' ? 'health' : 'events', first, last },
    { epoch, lane, first: 1, last: 1_000_000 },
  ];
  const node = await setUp(centre.port);
  await publish(node, 5);
  await until(() => seqsAt(centre).length >= 10, { timeoutMs: 15_000 });
  // A frame 1..1000000 does not exist; only if the real frame is 1..5 with the same `last` may it go.
  expect(waiting(node)).toBe(5);
  centre.answer = ({ epoch, lane, first, last }) => [
    { epoch, lane, first, last },
    { epoch, lane, first, last },
  ];
  await until(() => waiting(node) === 0, { timeoutMs: 15_000 });
}, 40_000);

test('an outage: acknowledged samples wait, then live goes before backlog and all arrive', async () => {
  const port = await freePort();
  const node = await setUp(port);
  const away = await publish(node, 200);
  expect(waiting(node)).toBe(200);
  const centre = await centreOn(port);
  await until(() => waiting(node) === 0, { timeoutMs: 20_000 });
  expect(distinct(seqsAt(centre))).toEqual(away);
  // The centre forgets everything and comes back empty.
  await centre.stop();
  const more = await publish(node, 20);
  const again = await centreOn(port);
  await until(() => waiting(node) === 0, { timeoutMs: 40_000 });
  expect(distinct(seqsAt(again))).toEqual(more);
}, 70_000);

test('what an edge did not get rid of before its end is sent by its next life, under another epoch', async () => {
  const port = await freePort();
  const dataDir = join(await tempDir(), 'data');
  const first = await setUp(port, dataDir);
  const sent = await publish(first, 10);
  await first.stop();
  const centre = await centreOn(port);
  const second = await setUp(port, dataDir);
  await until(() => waiting(second) === 0 && seqsAt(centre).length > 0, { timeoutMs: 20_000 });
  expect(seqsAt(centre)).toEqual(sent);
}, 40_000);

test('an open event is not raised again after a restart', async () => {
  const port = await freePort();
  const dataDir = join(await tempDir(), 'data');
  const first = await setUp(port, dataDir);
  const tell = async (node: EdgeNode, payload: string) => {
    const client = await deviceClient(node.brokerPort, 'mc-1');
    await client.publishAsync('devices/mc-1/telemetry', payload, { qos: 1 });
    await client.endAsync();
  };
  await tell(first, '{"tilt_deg":120}');
  await until(() => first.outbox.stats.events.lastSeq === 1);
  await first.stop();
  const second = await setUp(port, dataDir);
  await tell(second, '{"tilt_deg":121}');
  await tell(second, '{"tilt_deg":1}');
  await until(() => second.outbox.stats.events.lastSeq === 2, { timeoutMs: 8000 });
  const centre = await centreOn(port);
  await until(() => centre.records('events').length === 2, { timeoutMs: 20_000 });
  const events = centre.records('events').map((line) => JSON.parse(line));
  expect(events.map((e) => e.type)).toEqual(['gewu.event.raised', 'gewu.event.cleared']);
  expect(new Set(events.map((e) => e.subject)).size).toBe(1);
}, 40_000);
