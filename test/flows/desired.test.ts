import type { KeyObject } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ServerProcess, startMosquitto } from '#cli/servers/mod.ts';
import type { DesiredAnswer, DesiredCameraAnswer } from '#grid/api/mod.ts';
import { newSigningKey, publicKeyOf } from '#service/mod.ts';
import { paintedCamera } from '../edge/cameras/painted.ts';
import { brightCamera, siteOf } from '../edge/cameras/running.ts';
import { type SmallInstallation, startSmallInstallation } from '../support/installation.ts';
import { BRIGHT_STREET, variant } from '../support/models.ts';
import { until } from '../support/until.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** A centre, an edge, a camera and a broker of the city's, each for real: what is set at the centre's API changes what the edge sees, while it runs. */
const EDGE = '/api/v1/edges/edge-01/desired';
const CAMERA = `${EDGE}/cameras/cam-01`;
const KEY = newSigningKey();
const cleanups: (() => unknown)[] = [];
let city: SmallInstallation;
let broker: ServerProcess;
let zones: DesiredCameraAnswer['zones'];

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gewu-test-'));
  broker = await startMosquitto({ dir });
  const painted = await paintedCamera((cleanup) => cleanups.push(cleanup as () => unknown));
  const camera = brightCamera(painted);
  zones = camera.zones;
  const site = siteOf([{ ...camera, zones: [] }]);
  city = await startSmallInstallation(
    dir,
    [],
    { broker: { external: { url: broker.url } } },
    {
      ...{ site, through: async () => Number(new URL(broker.url).port) },
      file: { vision: { model: BRIGHT_STREET, trustedKeys: [publicKeyOf(KEY)] } },
    },
  );
  cleanups.push(async () => {
    await Promise.all([city.edge.stop(), city.centre.stop()]);
    await broker.stop();
    await rm(dir, { recursive: true, force: true });
  });
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const events = async () =>
  (
    await city.api.get<{ items: { record: { type: string; data: { origin: { zone: string; model: string } } } }[] }>(
      '/api/v1/events',
    )
  ).items;
const patch = async (parts: object) => {
  const { revision } = await city.api.get<DesiredCameraAnswer>(CAMERA);
  return city.api.send<DesiredCameraAnswer>('PATCH', CAMERA, { revision, reason: 'test', ...parts });
};
const inForce = (revision: number) =>
  until(
    async () => {
      const { status, running } = await city.api.get<DesiredAnswer>(EDGE);
      return status === 'confirmed' && running === revision;
    },
    { timeoutMs: 60_000, everyMs: 50, what: `revision ${revision} in force` },
  );

test('a zone that is drawn at the centre raises an event without a restart; a bad one is refused and the old one goes on', async () => {
  await until(async () => (await city.api.get<{ state: string }>('/api/v1/cameras/cam-01')).state === 'online', {
    timeoutMs: 30_000,
  });
  const pid = city.edge.pid;
  expect(await events()).toEqual([]);
  const { revision } = await patch({ zones });
  await inForce(revision);
  const [event] = await until(async () => ((await events()).length > 0 ? events() : null), { timeoutMs: 30_000, everyMs: 50 });
  expect(event?.record.data.origin.zone).toBe('all');
  const person = zones?.map((z) => ({ ...z, rules: z.rules.map((r) => ({ ...r, detects: 'person' })) }));
  await expect(patch({ zones: person })).rejects.toMatchObject({ code: 'GEWU_DESIRED_INVALID' });
  expect(await city.api.get(EDGE)).toMatchObject({ revision, status: 'confirmed' });
  expect(city.edge.pid).toBe(pid);
});

test('days of a night market that are set at the centre let its stalls alone, and no other; without a restart, and until they are others', async () => {
  const pid = city.edge.pid;
  const set = async (days: string[]) => {
    const { revision } = await city.api.get<DesiredAnswer>(EDGE);
    const change = { revision, reason: 'market', calendars: { market: days } };
    return inForce((await city.api.send<DesiredAnswer>('PUT', `${EDGE}/calendars`, change)).revision);
  };
  const seen = async (zone: string) => (await events()).some((e) => e.record.data.origin.zone === zone);
  const withRule = (id: string, rule: object) =>
    zones?.map((z) => ({ ...z, id, rules: z.rules.map((r) => ({ ...r, ...rule })) })) ?? [];
  const permitted = withRule('market', { permitted: [{ calendar: 'market', from: '00:00', to: '24:00' }] });
  await expect(patch({ zones: permitted })).rejects.toMatchObject({ code: 'GEWU_DESIRED_INVALID' });
  // Whatever the hour and the day of the test: today and its neighbours.
  await set([-1, 0, 1].map((n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)));
  // What the other zone raises is seen in the same pictures, as another class: by then the market's stall has stood as long.
  const { revision } = await patch({ zones: [...permitted, ...withRule('street', { raises: { event: '0502' } })] });
  await inForce(revision);
  await until(() => seen('street'), { timeoutMs: 30_000, everyMs: 50 });
  expect(await seen('market')).toBe(false);
  await set(['2020-01-01']);
  await until(() => seen('market'), { timeoutMs: 30_000, everyMs: 50 });
  expect(city.edge.pid).toBe(pid);
});

test('a model that is pushed looks from then on; one that is garbage, or signed by a stranger, is refused and the old one goes on', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gewu-test-'));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  const pid = city.edge.pid;
  const push = async (name: string, { key = KEY, ...options }: { key?: KeyObject; manifest?: object; bytes?: Buffer }) => {
    const packed = await variant(join(dir, name), key, options);
    await city.api.upload(`/api/v1/models/${packed.sha256}`, packed.package);
    const { revision } = await city.api.get<DesiredAnswer>(EDGE);
    await city.api.send('PUT', `${EDGE}/model`, { revision, reason: name, model: { package: packed.sha256 } });
    return until(
      async () => {
        const { model } = await city.api.get<DesiredAnswer>(EDGE);
        return model?.wanted === packed.sha256 && model.phase !== 'fetching' ? model : null;
      },
      { timeoutMs: 60_000, everyMs: 50, what: `${name} judged` },
    );
  };
  expect(await push('next', { manifest: { version: '9.0.0' } })).toMatchObject({ phase: 'active', code: '' });
  // What it raises from now on is its own.
  await patch({ zones: zones?.map((zone) => ({ ...zone, id: 'anew' })) });
  const raised = await until(async () => (await events()).find((e) => e.record.data.origin.zone === 'anew'), {
    timeoutMs: 30_000,
  });
  expect(raised.record.data.origin.model).toMatch(/@9\.0\.0$/);
  expect(await push('garbage', { bytes: Buffer.from('garbage') })).toMatchObject({
    phase: 'refused',
    code: 'GEWU_MODEL_INVALID',
  });
  expect(await push('stranger', { key: newSigningKey() })).toMatchObject({
    ...{ phase: 'refused', code: 'GEWU_MODEL_SIGNATURE' },
    model: expect.stringMatching(/@9\.0\.0$/),
  });
  expect(city.edge.pid).toBe(pid);
});

test('kill -9 of edge, centre and broker at any time of a change: the newest comes into force, and nothing is half', async () => {
  const raised = (await events()).length;
  for (const [delayMs, all] of [
    [0, true],
    [30, false],
  ] as const) {
    const { revision } = await patch({ fps: 2 + delayMs / 100 });
    await pause(delayMs);
    await Promise.all([city.edge.kill(), ...(all ? [city.centre.kill(), broker.kill()] : [])]);
    // What the broker had not written to its disk yet is gone: a notice is told again.
    if (all) await broker.restart();
    if (all) await city.centre.start();
    await city.edge.start();
    await until(() => city.api.ready(), { timeoutMs: 30_000 });
    await inForce(revision);
  }
  const view = await city.api.get<DesiredCameraAnswer>(CAMERA);
  expect([view.fps, view.set]).toEqual([2.3, ['zones', 'fps']]);
  // The events are still the events.
  expect(await events()).toHaveLength(raised);
});
