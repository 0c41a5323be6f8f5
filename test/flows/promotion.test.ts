import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { DesiredAnswer, EventAnswer, TrialAnswer } from '#grid/api/mod.ts';
import { newSigningKey, publicKeyOf } from '#service/mod.ts';
import { paintedCamera } from '../edge/cameras/painted.ts';
import { brightCamera, siteOf } from '../edge/cameras/running.ts';
import { type SmallInstallation, startSmallInstallation } from '../support/installation.ts';
import { BRIGHT_STREET, variant } from '../support/models.ts';
import { until } from '../support/until.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

/** A centre, an edge and a camera, each for real: a candidate in shadow, its comparison, its promotion and the way back. */
const DESIRED = '/api/v1/edges/edge-01/desired';
const KEY = newSigningKey();
const WAIT = { timeoutMs: 90_000, everyMs: 100 };
const cleanups: (() => unknown)[] = [];
let dir: string;
let city: SmallInstallation;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gewu-test-'));
  const painted = await paintedCamera((cleanup) => cleanups.push(cleanup as () => unknown));
  const vision = { model: BRIGHT_STREET, trustedKeys: [publicKeyOf(KEY)], workers: 1 };
  const promotion = { cameraHoursMin: 0.001, judgedMin: 1, soakHours: 0.0005 };
  // Few pictures a second: the budget of two models is measured on the machine, as busy as it is.
  const site = siteOf([brightCamera(painted, { fps: 1 })]);
  city = await startSmallInstallation(dir, [], { promotion }, { site, file: { vision } });
  cleanups.push(async () => {
    await Promise.all([city.edge.stop(), city.centre.stop()]);
    await rm(dir, { recursive: true, force: true });
  });
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const desired = () => city.api.get<DesiredAnswer>(DESIRED);
const trialOf = (sha256: string) => city.api.get<TrialAnswer>(`/api/v1/trials/${sha256}`).catch(() => null);
const raisedBy = async (version: string): Promise<EventAnswer | undefined> => {
  const { items } = await city.api.get<{ items: EventAnswer[] }>('/api/v1/events');
  return items.find(({ record: { data } }) => data.origin.by === 'camera' && data.origin.model.endsWith(`@${version}`));
};
const inUse = (version: string) =>
  until(async () => (await desired()).model?.model.endsWith(`@${version}`), { ...WAIT, what: `${version} in use` });
async function beside(name: string, version: string, key = KEY): Promise<string> {
  const packed = await variant(join(dir, name), key, { manifest: { version } });
  await city.api.upload(`/api/v1/models/${packed.sha256}`, packed.package);
  const { revision } = await desired();
  await city.api.send('PUT', `${DESIRED}/candidate`, { revision, reason: name, candidate: { package: packed.sha256 } });
  return packed.sha256;
}

test('a candidate that the comparison carries takes over on its edge, and a person brings the old one back', async () => {
  const own = (await until(async () => (await desired()).model, WAIT)).model.split('@')[1] as string;
  const active = await until(() => raisedBy(own), WAIT);
  const candidate = await beside('next', '2.0.0');
  const shadow = await until(() => raisedBy('2.0.0'), WAIT);
  expect([shadow.record.data.suppressed, shadow.case]).toEqual(['shadow', null]);
  await city.api.send('PUT', `/api/v1/events/${active.record.subject}/verdict`, { verdict: 'accepted' });
  const promote = (body: object) => city.api.send('POST', `/api/v1/trials/${candidate}/promote`, { reason: 'better', ...body });
  const trial = await until(async () => {
    const answer = await trialOf(candidate);
    return answer?.supported ? answer : null;
  }, WAIT);
  expect(trial).toMatchObject({ cameras: 1, total: { both: { accepted: 1 }, lost: { accepted: 0 } } });
  await promote({ to: 'one' });
  await inUse('2.0.0');
  expect((await desired()).state).toEqual({ model: { package: candidate } });
  await until(async () => (await trialOf(candidate))?.promotions[0]?.state === 'passed', { ...WAIT, what: 'it has kept it' });
  await city.api.send('POST', `/api/v1/trials/${candidate}/return`, { reason: 'asked for' });
  await inUse(own);
});

test('a model that its edge refuses returns by itself, and the one in use has never stopped', async () => {
  const before = await desired();
  const stranger = await beside('stranger', '9.0.0', newSigningKey());
  await until(async () => (await trialOf(stranger))?.edges[0]?.candidate.phase === 'refused', WAIT);
  const path = `/api/v1/trials/${stranger}/promote`;
  await expect(city.api.send('POST', path, { to: 'one', reason: 'x' })).rejects.toMatchObject({
    code: 'GEWU_PROMOTION_NOT_EARNED',
  });
  await city.api.send('POST', path, { to: 'one', reason: 'in a hurry', forced: true });
  const back = await until(async () => (await trialOf(stranger))?.promotions.find((p) => p.state === 'returned'), WAIT);
  expect(back).toMatchObject({ forced: true, endedBecause: expect.stringContaining('GEWU_MODEL_SIGNATURE') });
  expect((await desired()).state).toEqual({});
  expect((await desired()).model?.model).toBe(before.model?.model);
});
