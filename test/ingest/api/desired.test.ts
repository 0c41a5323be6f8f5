import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigReport } from '#grid/wire/mod.ts';
import { until } from '../../support/until.ts';
import { EDGE, EDGE_PASSWORD, TestCentre, ZONE } from './fixture.ts';

let centre: TestCentre;
beforeAll(async () => {
  centre = await TestCentre.start();
});
afterAll(() => centre?.stop());

const CAMERA = `/api/v1/edges/${EDGE}/desired/cameras/cam-1`;
const patch = (body: object, query = '', who: 'ops' | 'viewer' = 'ops') => centre.call(who, 'PATCH', CAMERA + query, body);

test('a zone drawn in an editor: mistakes by key, a conflict, the notice to the edge, its document, its confirmation', async () => {
  const edge = await centre.edge();
  const now = Date.now();
  const seen = (await centre.get(CAMERA)).body;
  expect(seen).toMatchObject({ revision: 0, status: 'none', zones: [], set: [], timeZone: 'Asia/Shanghai' });

  const bad = { revision: 0, reason: 'stalls at the gate', zones: [{ ...ZONE, polygon: [[2, 0.5]], rules: [] }], colour: 'red' };
  const schema = (await patch(bad, '?check=true')).body.error;
  expect([schema.code, schema.mistakes.map((m: { key: string }) => m.key).sort()]).toEqual([
    'GEWU_REQUEST_INVALID',
    ['colour', 'zones.0.polygon', 'zones.0.polygon.0.0', 'zones.0.rules'],
  ]);
  const person = { ...ZONE, rules: ZONE.rules.map((r) => ({ ...r, detects: 'person' })) };
  expect(await patch({ revision: 0, reason: 'x', zones: [person] })).toMatchObject({
    status: 422,
    body: { error: { code: 'GEWU_DESIRED_INVALID', mistakes: [{ key: 'zones.0.rules.0.detects', value: 'person' }] } },
  });
  expect((await patch({ revision: 0, reason: 'x', zones: [ZONE] }, '', 'viewer')).status).toBe(403);
  expect(edge.commands).toEqual([]);

  const set = await patch({ revision: 0, reason: 'stalls at the gate', zones: [ZONE] });
  expect(set).toMatchObject({ status: 200, body: { revision: 1, status: 'pending', set: ['zones'], zones: [ZONE] } });
  expect(await patch({ revision: 0, reason: 'late', zones: [] })).toMatchObject({
    status: 409,
    body: { error: { code: 'GEWU_REVISION_STALE' } },
  });

  const notice = await until(() => edge.commands[0] as { revision: number; sha256: string; bytes: number });
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });
  const path = `/api/v1/edges/${EDGE}/desired/revisions/${notice.revision}/document`;
  const document = await centre.raw(path, { headers: basic(EDGE, EDGE_PASSWORD) });
  const text = await document.text();
  expect(createHash('sha256').update(text).digest('hex')).toBe(notice.sha256);
  expect([text.length, JSON.parse(text)]).toEqual([notice.bytes, { cameras: { 'cam-1': { zones: [ZONE] } } }]);
  expect((await centre.raw(path, { headers: basic('edge-2', 'edge-2-password') })).status).toBe(403);

  // An edge that has judged nothing yet is told again by its own sign of life.
  const report = { ts: now, edge: EDGE, of: 'config', id: EDGE, running: 0, revision: 0, verdict: 'confirmed', notes: [] };
  const state = { ts: now, edge: EDGE, of: 'edge', id: EDGE, state: 'online', reason: 'running', since: now };
  await edge.send('health', [
    { ...report, running: 1, revision: 1 } satisfies Omit<ConfigReport, 'of' | 'verdict'> & object,
    state,
  ]);
  expect((await centre.get(CAMERA)).body).toMatchObject({ status: 'confirmed', running: 1 });
  expect((await centre.get('/api/v1/desired')).body.items).toMatchObject([
    { edge: EDGE, status: 'confirmed' },
    { edge: 'edge-2' },
  ]);
  await edge.close();
});

test('whole states, maintenance, history, difference and return, each for who may', async () => {
  const base = `/api/v1/edges/${EDGE}/desired`;
  const { revision } = (await centre.get(base)).body;
  const whole = { revision, reason: 'all anew', state: { cameras: { 'cam-1': { fps: 1 } } } };
  expect((await centre.call('ops', 'PUT', base, whole)).status).toBe(403);
  expect((await centre.call('administrator', 'PUT', base, whole)).body).toMatchObject({
    revision: revision + 1,
    state: whole.state,
  });
  const window = { devices: ['mh-1'], from: '2026-11-23T08:00:00+08:00', to: '2026-11-23T07:00:00+08:00', reason: 'works' };
  const maintenance = { revision: revision + 1, reason: 'permit 12', maintenance: [window] };
  const refused = await centre.call('ops', 'PUT', `${base}/maintenance`, maintenance);
  expect(refused.body.error.mistakes).toMatchObject([{ key: 'maintenance.0.to' }]);
  const open = { ...maintenance, maintenance: [{ ...window, to: '2026-11-23T09:00:00+08:00' }] };
  expect((await centre.call('ops', 'PUT', `${base}/maintenance`, open)).body.revision).toBe(revision + 2);
  expect((await centre.get(`${base}/diff?from=${revision + 1}&to=${revision + 2}`)).body.entries).toMatchObject([
    { key: 'maintenance' },
  ]);
  expect((await centre.get(`${base}/revisions?limit=1`)).body.items).toMatchObject([{ by: 'the-ops', reason: 'permit 12' }]);
  expect((await centre.get(`${base}/revisions/${revision + 1}`)).body.state).toEqual(whole.state);
  const days = (day: string) => ({ revision: revision + 2, reason: 'markets of the year', calendars: { market: [day] } });
  const never = await centre.call('ops', 'PUT', `${base}/calendars`, days('2027-02-30'));
  expect([never.status, never.body.error.mistakes]).toMatchObject([422, [{ key: 'calendars.market.0' }]]);
  expect((await centre.call('viewer', 'PUT', `${base}/calendars`, days('2027-02-28'))).status).toBe(403);
  const { body: dated } = await centre.call('ops', 'PUT', `${base}/calendars`, days('2027-02-28'));
  expect(dated).toMatchObject({ revision: revision + 3, state: { ...whole.state, calendars: { market: ['2027-02-28'] } } });
  const back = { revision: revision + 3, reason: 'the day before', to: revision };
  const returned = await centre.call('administrator', 'POST', `${base}/return`, back);
  expect(returned.body).toMatchObject({ revision: revision + 4 });
  expect((await centre.get(`${base}/revisions/99`)).status).toBe(404);
});
