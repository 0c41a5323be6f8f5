import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newSigningKey } from '#service/mod.ts';
import { variant } from '../../support/models.ts';
import { until } from '../../support/until.ts';
import { EDGE, EDGE_PASSWORD, type EdgeClient, SITE, stall, TestCentre, tokenOf } from '../api/fixture.ts';

/** The centre's part of the loop, with an edge that is played: reports, comparison, promotion to one edge and to all, return. */

let centre: TestCentre;
let edge: EdgeClient;
let good: string;
let bad: string;
const T = Date.now() - 3_600_000;
const DESIRED = `/api/v1/edges/${EDGE}/desired`;
const OLD = 'street@1';

beforeAll(async () => {
  const other = { ...SITE, devices: [], cameras: SITE.cameras.map((c) => ({ ...c, id: 'cam-2' })) };
  centre = await TestCentre.start({
    edges: [
      { id: EDGE, password: EDGE_PASSWORD, site: { ...SITE, cameras: SITE.cameras.map((c) => ({ ...c, simulated: false })) } },
      { id: 'edge-2', password: 'edge-2-password', site: other },
    ],
    promotion: { cameraHoursMin: 0.5, judgedMin: 2, soakHours: 0.0005, soakFalseAlarmsMin: 2, soakCamerasMissingS: 1 },
  });
  edge = await centre.edge();
  good = await pushed('good', '2.0.0');
  bad = await pushed('bad', '3.0.0');
});
afterAll(async () => {
  await edge?.close();
  await centre?.stop();
});

async function pushed(name: string, version: string): Promise<string> {
  const packed = await variant(join(centre.dir, name), newSigningKey(), { manifest: { version } });
  const headers = { authorization: `Bearer ${tokenOf('administrator')}`, 'content-type': 'application/octet-stream' };
  const response = await centre.raw(`/api/v1/models/${packed.sha256}`, {
    method: 'PUT',
    headers,
    body: new Blob([new Uint8Array(packed.package)]),
  });
  expect(response.status).toBe(200);
  expect(createHash('sha256').update(packed.package).digest('hex')).toBe(packed.sha256);
  return packed.sha256;
}

const report = (of: 'candidate' | 'watch' | 'model', more: object) =>
  edge.send('health', [{ ts: Date.now(), edge: EDGE, of, id: EDGE, ...more }]);
const inShadow = (sha256: string, model: string) =>
  report('candidate', { package: sha256, model, phase: 'shadow', code: '', message: '', cpuMs: 5 });
const inUse = (sha256: string, model: string, phase = 'active', code = '') =>
  report('model', {
    package: phase === 'active' ? sha256 : '',
    sha256: '',
    model,
    classes: ['stall'],
    wanted: sha256,
    phase,
    code,
    message: '',
    cpuMs: 5,
    notes: [],
  });
const watched = (sha256: string, model: string, hours: number) =>
  report('watch', {
    ...{ id: 'cam-1', package: sha256, model, against: OLD, since: T, until: T + hours * 3_600_000 },
    ...{ watchedMs: hours * 3_600_000, pictures: 7200 * hours, skipped: 3 },
  });

/** An event of the model, at so many minutes, and a reviewer's word on it. */
async function saw(event: string, model: string, atMin: number, verdict: 'accepted' | 'rejected' | null): Promise<void> {
  const origin = {
    by: 'camera',
    camera: 'cam-1',
    zone: 'z-1',
    track: event,
    detects: 'stall',
    model,
    provenance: 'drawn-scenes',
    simulated: false,
  } as const;
  const at = T + atMin * 60_000;
  const times = { startedAt: at, confirmedAt: at + 5000, lastSeenAt: at + 30_000, clearedAt: at + 40_000 };
  await edge.send('events', [stall(event, 2, { origin, suppressed: 'shadow', edge: EDGE, ...times })]);
  const said = verdict === 'rejected' ? { verdict, reason: 'nothing-there' } : { verdict };
  if (verdict !== null)
    expect((await centre.call('supervision', 'PUT', `/api/v1/events/${event}/verdict`, said)).status).toBe(200);
}

const trial = async (sha256: string) => (await centre.get(`/api/v1/trials/${sha256}`)).body;
const promote = (sha256: string, body: object, who: Parameters<TestCentre['post']>[1] = 'administrator') =>
  centre.post(`/api/v1/trials/${sha256}/promote`, who, { reason: 'it is better', ...body });
const stateOf = (sha256: string, state: string, of = EDGE) =>
  until(
    async () => (await trial(sha256)).promotions.find((p: { edge: string; state: string }) => p.edge === of && p.state === state),
    {
      timeoutMs: 30_000,
      what: `${of} is ${state}`,
    },
  );
const desired = async (of = EDGE) => (await centre.get(`/api/v1/edges/${of}/desired`)).body;

test('a candidate is set, watched and compared; what the figures do not carry is refused with what is wanting', async () => {
  const set = (candidate: object | null, revision: number) =>
    centre.call('administrator', 'PUT', `${DESIRED}/candidate`, { revision, reason: 'a trial', candidate });
  expect((await set({ package: 'f'.repeat(64) }, 0)).body.error.mistakes[0].key).toBe('candidate.package');
  expect((await set({ package: good, cameras: ['cam-9'] }, 0)).body.error.mistakes[0].key).toBe('candidate.cameras.0');
  expect((await set({ package: good }, 0)).body.state).toEqual({ candidate: { package: good } });
  expect((await centre.get(`/api/v1/trials/${'f'.repeat(64)}`)).status).toBe(404);
  expect(await trial(good)).toMatchObject({ edges: [], cameraHours: 0, supported: false });
  await inShadow(good, 'street@2.0.0');
  await watched(good, 'street@2.0.0', 0.25);
  await saw('a1', OLD, 1, 'accepted');
  await saw('c1', 'street@2.0.0', 1.1, null);
  await saw('a2', OLD, 5, 'rejected');
  await saw('c3', 'street@2.0.0', 9, 'accepted');
  expect(await trial(good)).toMatchObject({
    ...{ model: 'street@2.0.0', against: [OLD], cameras: 1, cameraHours: 0.25, supported: false },
    ...{ unmet: [{ limit: 'cameraHoursMin', wanted: 0.5, is: 0.25 }], edges: [{ edge: EDGE, candidate: { phase: 'shadow' } }] },
    total: {
      both: { accepted: 1, rejected: 0, unjudged: 0 },
      gained: { accepted: 1, rejected: 0, unjudged: 0 },
      lost: { accepted: 0, rejected: 1, unjudged: 0 },
      active: { precision: 0.5, falseAlarmsPerCameraDay: 96 },
      candidate: { precision: 1, falseAlarmsPerCameraDay: 0 },
    },
  });
  const refused = await promote(good, { to: 'one' });
  expect([refused.status, refused.body.error.code]).toEqual([409, 'GEWU_PROMOTION_NOT_EARNED']);
  expect(refused.body.error.message).toContain('cameraHoursMin 0.5, it is 0.25');
  // An older report of the same piece comes late.
  await watched(good, 'street@2.0.0', 0.75);
  await watched(good, 'street@2.0.0', 0.5);
  expect(await trial(good)).toMatchObject({ cameraHours: 0.75, supported: true, unmet: [], pictures: 5400 });
  for (const who of ['viewer', 'ops', 'supervision'] as const) expect((await promote(good, { to: 'one' }, who)).status).toBe(403);
  expect((await promote(good, { to: 'all' })).body.error.message).toContain('no edge has kept it');
});

test('one edge first, then all when that one has kept it; every step is in the trail', async () => {
  const { body } = await promote(good, { to: 'one' });
  expect(body.items).toMatchObject([{ edge: EDGE, state: 'soaking', forced: false, by: 'the-administrator' }]);
  expect((await desired()).state).toEqual({ model: { package: good } });
  expect((await desired('edge-2')).state).toEqual({});
  await inUse(good, 'street@2.0.0');
  await stateOf(good, 'passed');
  await promote(good, { to: 'all' });
  expect((await desired('edge-2')).state).toEqual({ model: { package: good } });
  const trail = (await centre.get(`/api/v1/audit?subject=model:${good}`, 'administrator')).body.items;
  expect(trail.map((e: { action: string }) => e.action)).toEqual([
    'model-promoted',
    'model-passed',
    'model-promoted',
    'model-pushed',
  ]);
});

test('a model that crashes, or raises more false alarms than before, is sent back by itself; a person sends it back, too', async () => {
  await inShadow(bad, 'street@3.0.0');
  await watched(bad, 'street@3.0.0', 0.05);
  expect((await promote(bad, { to: 'one' })).status).toBe(409);
  expect((await promote(bad, { to: 'one', forced: true })).body.items[0]).toMatchObject({ state: 'soaking', forced: true });
  await inUse(bad, 'street@2.0.0', 'returned', 'GEWU_MODEL_CRASHED');
  expect((await stateOf(bad, 'returned')).endedBecause).toContain('GEWU_MODEL_CRASHED');
  expect((await desired()).state).toEqual({ model: { package: good } });

  await promote(bad, { to: 'one', forced: true });
  for (const n of [1, 2]) {
    const at = (Date.now() - T) / 60_000 + n / 60;
    await saw(`f${n}`, 'street@3.0.0', at, 'rejected');
  }
  const sent = await until(
    async () =>
      (await trial(bad)).promotions.find((p: { endedBecause: string | null }) => p.endedBecause?.includes('false alarms')),
    { timeoutMs: 30_000 },
  );
  expect(sent).toMatchObject({ state: 'returned' });
  expect((await desired()).state).toEqual({ model: { package: good } });
  await centre.post(`/api/v1/trials/${good}/return`, 'administrator', { edge: 'edge-2', reason: 'a complaint' });
  expect((await desired('edge-2')).state).toEqual({});
  expect((await centre.post(`/api/v1/trials/${bad}/return`, 'administrator', { reason: 'again' })).status).toBe(404);
});

test('a model under which cameras stop sending pictures is sent back by itself', async () => {
  const camera = (state: 'online' | 'offline') =>
    edge.send('health', [{ ts: Date.now(), edge: EDGE, of: 'camera', id: 'cam-1', state, reason: 'test', since: Date.now() }]);
  const blind = await pushed('blind', '4.0.0');
  await camera('online');
  // It never says that the model is in use, so that no soak time passes.
  expect((await promote(blind, { to: 'one', edge: EDGE, forced: true })).status).toBe(200);
  await camera('offline');
  const why = '0 cameras send pictures, 1 had before';
  const back = await until(
    async () => (await trial(blind)).promotions.find((p: { endedBecause: string | null }) => p.endedBecause === why),
    { timeoutMs: 30_000, what: 'the return' },
  );
  expect(back).toMatchObject({ state: 'returned' });
  expect((await desired()).state).toEqual({ model: { package: good } });
});
