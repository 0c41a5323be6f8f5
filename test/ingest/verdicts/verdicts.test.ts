import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { precisionOf } from '../../../ingest/verdicts/precision.ts';
import { type EdgeClient, openCover, stall, TestCentre } from '../api/fixture.ts';

let centre: TestCentre;
let edge: EdgeClient;
beforeAll(async () => {
  centre = await TestCentre.start();
  edge = await centre.edge();
  await edge.send('events', [stall('ev-stall'), openCover('ev-cover')]);
});
afterAll(async () => {
  await edge?.close();
  await centre?.stop();
});

const say = (event: string, body: object, who: Parameters<TestCentre['call']>[0] = 'ops') =>
  centre.call(who, 'PUT', `/api/v1/events/${event}/verdict`, body);
const queue = async () =>
  (await centre.get('/api/v1/events?judged=false')).body.items
    .map((e: { record: { subject: string } }) => e.record.subject)
    .sort();

test('an event leaves the queue when it is judged, and comes back when the word is taken back', async () => {
  expect(await queue()).toEqual(['ev-cover', 'ev-stall']);
  const said = await say('ev-stall', { verdict: 'rejected', reason: 'permitted', note: 'market day' });
  expect(said.body).toMatchObject({ verdict: 'rejected', reason: 'permitted', note: 'market day', by: 'the-ops' });
  expect(await queue()).toEqual(['ev-cover']);
  expect((await centre.get('/api/v1/events/ev-stall')).body.verdict).toEqual(said.body);
  const [listed] = (await centre.get('/api/v1/verdicts')).body.items;
  expect(listed).toMatchObject({ event: 'ev-stall', class: '2:0501', reason: 'permitted' });
  expect(listed.model).not.toBe('');
  expect((await centre.call('ops', 'DELETE', '/api/v1/events/ev-stall/verdict')).status).toBe(204);
  expect(await queue()).toEqual(['ev-cover', 'ev-stall']);
});

test('the newest word counts; a rejection says why; who only looks has no say', async () => {
  await say('ev-cover', { verdict: 'rejected', reason: 'other' });
  await say('ev-cover', { verdict: 'accepted' }, 'supervision');
  expect((await centre.get('/api/v1/events/ev-cover')).body.verdict).toMatchObject({
    verdict: 'accepted',
    reason: null,
    by: 'the-supervision',
  });
  expect((await say('ev-cover', { verdict: 'rejected' })).status).toBe(400);
  expect((await say('ev-cover', { verdict: 'accepted' }, 'viewer')).status).toBe(403);
  expect((await say('ev-none', { verdict: 'accepted' })).status).toBe(404);
});

test('the situation counts open cases where they are, the most urgent first', async () => {
  const { body } = await centre.get('/api/v1/situation');
  expect(body.openCases).toMatchObject({ critical: 1 });
  expect(body.urgent[0]).toMatchObject({ severity: 'critical', class: { code: '0102' } });
  const counted = body.cells.reduce(
    (sum: number, c: { openCases: { critical?: number } }) => sum + (c.openCases.critical ?? 0),
    0,
  );
  expect(counted).toBe(1);
  expect(body.devices).toEqual({ online: 0, offline: 0, degraded: 0, unknown: 3 });
});

test('the pipeline says what it stands on', async () => {
  const { body } = await centre.get('/api/v1/pipeline');
  expect(body.stores.map((s: { name: string; ready: boolean }) => [s.name, s.ready])).toEqual([
    ['database', true],
    ['evidence', true],
    ['timeseries', true],
    ['broker', true],
  ]);
  expect(body.lanes.map((l: { lane: string }) => l.lane).sort()).toEqual(['events', 'health', 'readings']);
});

describe('precision', () => {
  const judged = (n: number, verdict: string, confidence: number) =>
    Array.from({ length: n }, () => ({ source: 'cam-1', zone: 'street', class_key: '2:0501', verdict, confidence }));

  test('is accepted of judged, by source, zone and class', () => {
    const other = { ...(judged(1, 'rejected', 0.5)[0] as ReturnType<typeof judged>[number]), zone: 'kerb' };
    const [street, kerb] = precisionOf([...judged(3, 'accepted', 0.9), ...judged(1, 'rejected', 0.4), other]);
    expect([street?.accepted, street?.rejected, street?.precision, street?.threshold]).toEqual([3, 1, 0.75, null]);
    expect([kerb?.zone, kerb?.precision]).toEqual(['kerb', 0]);
  });

  test('a threshold keeps the most while nine of ten are right', () => {
    // From 0.6 on 19 of 20 are right; with those at 0.5 it would be 19 of 25.
    const all = [
      ...judged(10, 'accepted', 0.9),
      ...judged(9, 'accepted', 0.6),
      ...judged(1, 'rejected', 0.6),
      ...judged(5, 'rejected', 0.5),
    ];
    expect(precisionOf(all)[0]?.threshold).toBe(0.6);
    expect(precisionOf(judged(30, 'rejected', 0.8))[0]?.threshold).toBeNull();
  });
});
