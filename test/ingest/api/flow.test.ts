import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeFrame, toLine, upTopic } from '#grid/wire/mod.ts';
import { CELL, EDGE, type EdgeClient, openCover, TestCentre } from './fixture.ts';

/** From a raw MQTT client with an edge's password to what the API answers. */

let centre: TestCentre;
let edge: EdgeClient;
beforeAll(async () => {
  centre = await TestCentre.start();
  edge = await centre.edge();
});
afterAll(async () => {
  await edge?.close();
  await centre?.stop();
});

const line = (device: string, fields: object, of = EDGE) =>
  toLine({
    kind: 'manhole_cover',
    device,
    cell: CELL,
    edge: of,
    ts: Date.now(),
    us: 0,
    fields: fields as Record<string, number>,
  });
const letters = async (query = '') => (await centre.get(`/api/v1/dead-letters${query}`, 'ops')).body.items;

test('a frame becomes a reading, an event a case, both readable by the time of the ack', async () => {
  await edge.send('readings', [line('mh-1', { tilt_deg: 4 })]);
  await edge.send('events', [openCover('ev-1')]);
  expect((await centre.get('/api/v1/readings/latest?devices=mh-1')).body.items[0].fields).toEqual({ tilt_deg: 4 });
  const [found] = (await centre.get('/api/v1/cases')).body.items;
  expect(found).toMatchObject({ events: ['ev-1'], place: { cell: CELL }, source: 'sensor' });
  await expect.poll(() => edge.commands).toContainEqual(expect.objectContaining({ event: 'ev-1', open: true }));
});

test('an edge with a wrong password, or of another name, does not get in', async () => {
  await expect(centre.edge({ password: 'wrong-password' })).rejects.toThrow(/Bad username or password/);
  await expect(centre.edge({ username: 'edge-9' })).rejects.toThrow(/Bad username or password/);
});

test('what cannot be used is a dead letter with its reason, and its neighbours are stored', async () => {
  const before = (await centre.get(`/api/v1/readings/count?from=0&to=${Date.now() + 1000}`)).body.count;
  await edge.send('readings', [line('mh-2', { tilt_deg: 1 }), 'not a line at all', line('mh-2', { tilt_deg: 2 }, 'edge-2')]);
  await edge.send('events', [{ hello: 'world' }]);
  await edge.send('health', [
    { ts: Date.now(), edge: EDGE, of: 'device', id: 'ghost', state: 'online', reason: 'connected', since: 1 },
    {
      ts: Date.now(),
      edge: EDGE,
      of: 'dead-letter',
      id: 'mh-1',
      code: 'GEWU_PAYLOAD_NOT_JSON',
      reason: 'no\u0000JSON',
      topic: 't',
      payload: '',
    },
  ]);
  const after = (await centre.get(`/api/v1/readings/count?from=0&to=${Date.now() + 1000}`)).body.count;
  expect(after - before).toBe(1);
  const all: { hop: string; code: string; payload: string; edge: string; id: string }[] = await letters();
  const told = all.map(({ hop, code }) => `${hop} ${code}`).sort();
  expect(told).toEqual([
    'device GEWU_PAYLOAD_NOT_JSON',
    'events GEWU_EVENT_INVALID',
    'health GEWU_DEVICE_UNKNOWN',
    'readings GEWU_LINE_INVALID',
    'readings GEWU_LINE_INVALID',
  ]);
  const junk = (await letters('?hop=readings&limit=500')).map((l: { payload: string }) =>
    Buffer.from(l.payload, 'base64').toString(),
  );
  expect(junk).toContain('not a line at all');
  const [first] = await letters('?limit=1');
  expect((await centre.get(`/api/v1/dead-letters/${first.id}`, 'ops')).body).toEqual(first);
  expect(await letters('?edge=edge-2')).toEqual([]);
  expect(await letters(`?since=${Date.now() + 60_000}`)).toEqual([]);
  expect(await letters('?code=GEWU_DEVICE_UNKNOWN')).toHaveLength(1);
  const { items } = (await centre.get('/api/v1/dead-letters/counts', 'ops')).body;
  expect(items[0]).toEqual({ edge: EDGE, hop: 'readings', code: 'GEWU_LINE_INVALID', count: 2 });
  expect((await centre.get('/api/v1/dead-letters/nothing', 'ops')).status).toBe(404);
});

test('an edge that speaks on the topic of another is cut off, and nothing is stored', async () => {
  const liar = await centre.edge();
  const header = { edge: 'edge-2', epoch: 'e', lane: 'events' as const, first: 1, last: 1, count: 1 };
  const closed = new Promise((resolve) => liar.mqtt.once('close', () => resolve(true)));
  liar.mqtt.publish(upTopic('edge-2', 'events'), encodeFrame(header, Buffer.from('{}\n')), { qos: 1 });
  expect(await closed).toBe(true);
  expect(await letters('?edge=edge-2')).toEqual([]);
  // The same id on two connections: the broker has ended the first one.
  edge = await centre.edge();
});
