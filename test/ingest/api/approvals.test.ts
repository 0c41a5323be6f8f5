import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { EDGE, type EdgeClient, stall, TestCentre, ZONE } from './fixture.ts';

let centre: TestCentre;
let edge: EdgeClient;
beforeAll(async () => {
  centre = await TestCentre.start({ approvals: { judgedMin: 4, precisionMin: 0.75 } });
  edge = await centre.edge();
});
afterAll(async () => {
  await edge?.close();
  await centre?.stop();
});

const MODEL = 'street@2';
const path = '/api/v1/cameras/cam-1/approvals';
const wanted = { model: MODEL, detects: 'stall', reason: 'nine of ten were right' };
const figures = async () => (await centre.get(path)).body.items;

/** What a model finds on the real camera, and what a reviewer says of it. */
async function judged(event: string, verdict: object, { detects = 'stall', model = MODEL } = {}): Promise<void> {
  const origin = { by: 'camera', camera: 'cam-1', zone: 'z-1', track: event, detects, model } as const;
  const real = { ...origin, provenance: 'drawn-scenes', simulated: false } as const;
  await edge.send('events', [stall(event, 1, { origin: real, suppressed: 'shadow', edge: EDGE })]);
  expect((await centre.call('supervision', 'PUT', `/api/v1/events/${event}/verdict`, verdict)).status).toBe(200);
}
const accepted = { verdict: 'accepted' };
const rejected = { verdict: 'rejected', reason: 'nothing-there' };

test('a class is switched on for a camera when enough of what the model found there was right, by who is responsible', async () => {
  expect(await figures()).toEqual([]);
  await judged('e1', accepted);
  await judged('e2', accepted);
  await judged('e3', rejected);
  await judged('e4', accepted, { detects: 'garbage' });
  await judged('e5', accepted, { model: 'street@1' });
  expect((await centre.get('/api/v1/cases')).body.items).toEqual([]);
  const early = await centre.post(path, 'supervision', wanted);
  expect([early.status, early.body.error.code]).toEqual([409, 'GEWU_APPROVAL_NOT_EARNED']);
  expect(early.body.error.message).toContain('2 of 3 judged');
  await judged('e6', accepted);
  expect((await figures())[0]).toMatchObject({
    model: MODEL,
    detects: 'stall',
    judged: 4,
    accepted: 3,
    earned: true,
    approved: null,
  });
  for (const who of ['viewer', 'ops', 'command', 'machine'] as const)
    expect((await centre.post(path, who, wanted)).status).toBe(403);
  const { body } = await centre.post(path, 'supervision', wanted);
  expect(body.items[0].approved).toMatchObject({ by: 'the-supervision', judged: 4, precision: 0.75 });
  // The edge is told.
  const { revision, state } = (await centre.get(`/api/v1/edges/${EDGE}/desired`)).body;
  expect(state.cameras['cam-1'].approvals).toMatchObject([{ model: MODEL, detects: 'stall' }]);
  await until(() => edge.commands.some((c) => (c as { revision?: number }).revision === revision), { what: 'the notice' });
});

test('a approval is not written, lost or brought back with the rest of the desired state', async () => {
  const desired = `/api/v1/edges/${EDGE}/desired`;
  const { revision, state } = (await centre.get(desired)).body;
  const forged = { ...state.cameras['cam-1'].approvals[0], detects: 'garbage' };
  const set = { revision, reason: 'zones', state: { cameras: { 'cam-1': { zones: [ZONE], approvals: [forged] } } } };
  const after = (await centre.call('administrator', 'PUT', desired, set)).body;
  expect(after.state.cameras['cam-1']).toEqual({ zones: [ZONE], approvals: state.cameras['cam-1'].approvals });
  expect((await centre.post(`${path}/withdraw`, 'administrator', wanted)).body.items[0].approved).toBeNull();
  const now = (await centre.get(desired)).body.revision;
  const back = await centre.post(`${desired}/return`, 'administrator', {
    revision: now,
    reason: 'as it was',
    to: after.revision,
  });
  expect(back.body.state.cameras['cam-1']).toEqual({ zones: [ZONE], approvals: [] });
  expect((await centre.get('/api/v1/cameras/cam-9/approvals')).status).toBe(404);
});

test('somebody vouches for the people of a camera by the hash of a model: the edge is told, the trail says who, nothing else writes it', async () => {
  const desired = `/api/v1/edges/${EDGE}/desired`;
  const recall = '/api/v1/cameras/cam-1/person-recall';
  const counted = { sha256: 'a'.repeat(64), recall: 0.97, people: 250 };
  const attest = (who: 'supervision' | 'ops' | 'viewer', body: object) => centre.call(who, 'PUT', recall, body);
  for (const who of ['ops', 'viewer'] as const) expect((await attest(who, { ...counted, reason: 'r' })).status).toBe(403);
  for (const wrong of [{ recall: 0.94 }, { people: 99 }, { sha256: 'street@2' }, { by: 'somebody else' }])
    expect((await attest('supervision', { ...counted, reason: 'r', ...wrong })).status).toBe(400);
  const { body } = await attest('supervision', { ...counted, reason: 'counted on Friday' });
  const given = { ...counted, by: 'the-supervision', at: expect.stringMatching(/^20\d\d-\d\d-\d\d$/) };
  expect([body.personRecall, body.set]).toEqual([given, expect.arrayContaining(['personRecall'])]);
  await until(() => edge.commands.some((c) => (c as { revision?: number }).revision === body.revision), { what: 'the notice' });
  const [entry] = (await centre.get('/api/v1/audit?limit=1', 'administrator')).body.items;
  expect(entry).toMatchObject({
    ...{ actor: 'the-supervision', action: 'desired-state-set', purpose: 'counted on Friday' },
    detail: { revision: body.revision, camera: 'cam-1', personRecall: counted.sha256 },
  });
  // Neither with the whole state nor by the camera's other parts.
  const forged = { ...body.personRecall, sha256: 'b'.repeat(64) };
  const set = {
    revision: body.revision,
    reason: 'zones',
    state: { cameras: { 'cam-1': { zones: [ZONE], personRecall: forged } } },
  };
  const after = (await centre.call('administrator', 'PUT', desired, set)).body;
  expect(after.state.cameras['cam-1'].personRecall).toEqual(given);
  const part = { revision: after.revision, reason: 'r', personRecall: forged };
  expect((await centre.call('administrator', 'PATCH', `${desired}/cameras/cam-1`, part)).status).toBe(400);
  expect(
    (await centre.post(`${recall}/withdraw`, 'supervision', { reason: 'the camera was turned' })).body.personRecall,
  ).toBeNull();
  expect(
    (await centre.call('supervision', 'PUT', '/api/v1/cameras/cam-9/person-recall', { ...counted, reason: 'r' })).status,
  ).toBe(404);
});
