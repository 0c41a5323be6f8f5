import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { freePort, startMosquitto, startPostgres } from '#cli/servers/mod.ts';
import { EdgeClient, fileOf, TestCentre, tokenOf } from '../../ingest/api/fixture.ts';
import { Looker, liveCommand, rawGrant } from '../../support/live.ts';
import { tempDir } from '../../support/temp.ts';
import { edgeOf } from './spoken.ts';

// A busy machine answers late; a wrong result is told long before.
vi.setConfig({ testTimeout: 90_000, expect: { poll: { timeout: 30_000 } } });

/**
 * Two replicas of a centre on one PostgreSQL and one Mosquitto; the second says in its commands where it is. At the first somebody waits
 * for an edge in vain, for as long as a viewer is let wait: while the other tests run.
 */
let replicas: { one: TestCentre; two: TestCentre; mqtt: EdgeClient; looker: Looker };
const cleanups: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gewu-test-'));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  const [postgres, mosquitto] = await Promise.all([startPostgres({ dir }), startMosquitto({ dir })]);
  cleanups.push(() => Promise.all([postgres.stop(), mosquitto.stop()]));
  const { api } = fileOf() as { api: object };
  const start = async (sections: object): Promise<TestCentre> => {
    const stores = { database: { store: 'postgres', url: postgres.url }, broker: { external: { url: mosquitto.url } } };
    const centre = await TestCentre.start({ ...stores, ...sections });
    cleanups.push(() => centre.stop());
    return centre;
  };
  const port = await freePort();
  const one = await start({});
  const two = await start({ api: { ...api, port }, live: { edgeUrl: `http://127.0.0.1:${port}` } });
  const mqtt = await EdgeClient.connect(Number(new URL(mosquitto.url).port), {});
  cleanups.push(() => mqtt.close());
  replicas = { one, two, mqtt, looker: await Looker.open(one, 'viewer') };
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** A whole centre, and the live views of an edge that gets its commands: how views end, and what slow and dead viewers cost. */
async function started(sections: object = {}): Promise<{ centre: TestCentre; mqtt: EdgeClient }> {
  const centre = await TestCentre.start(sections);
  onTestFinished(() => centre.stop());
  const mqtt = await centre.edge();
  onTestFinished(() => mqtt.close());
  return { centre, mqtt };
}
const OWN = { edge: 'edge-1', password: 'edge-1-password', camera: 'cam-1' };
const RAW = { camera: 'cam-1', view: 'raw' };
const trailOf = async (centre: TestCentre) =>
  (await centre.get('/api/v1/audit?subject=camera:cam-1', 'administrator')).body.items as {
    action: string;
    actor: string;
    detail: object;
  }[];

const isOf = (grant: string, detail: object): boolean => 'grant' in detail && detail.grant === grant;

test('a grant that ends while a raw view is open closes it at both ends, and both have written down who looked and until when', async () => {
  const { centre, mqtt } = await started({ live: { streamBytesPerSMax: 64 * 1024 * 1024 } });
  const { views, media, acts } = edgeOf(centre.centre.apiUrl, OWN);
  const grant = await rawGrant(centre, 'supervision');
  const looker = await Looker.open(centre, 'supervision', { ...RAW, grant });
  views.show(await liveCommand(mqtt));
  await expect.poll(() => looker.packets.length).toBe(1);
  media.say(1000);
  await expect.poll(() => looker.packets.length).toBe(2);
  await centre.post(`/api/v1/grants/${grant}/end`, 'supervision');
  expect([await looker.ended(), looker.closed]).toEqual(['GEWU_LIVE_OVER', 1008]);
  // Nothing is asked of the camera any more, and nothing that it still says gets out.
  await expect.poll(() => media.listeners.size).toBe(0);
  media.say(1000);
  expect(looker.packets).toHaveLength(2);
  await expect
    .poll(() => acts.map((a) => [a.action, a.actor, a.grant]))
    .toEqual([
      ['raw-view-started', 'the-supervision', grant],
      ['raw-view-ended', 'the-supervision', grant],
    ]);
  await expect
    .poll(async () => (await trailOf(centre)).filter((e) => e.action.startsWith('raw-view')))
    .toMatchObject([{ action: 'raw-view-ended', detail: { why: 'GEWU_LIVE_OVER', grant } }, { action: 'raw-view-started' }]);
});

test('a viewer that is dead is found by its pings; a slow one goes on at a key frame, and never has more than a little waiting', async () => {
  const { centre, mqtt } = await started({ live: { streamBytesPerSMax: 64 * 1024 * 1024 } });
  const { views, media } = edgeOf(centre.centre.apiUrl, { ...OWN, live: { bytesPerSMax: 64 * 1024 * 1024 } });
  const grant = await rawGrant(centre, 'ops');
  const dead = await Looker.open(centre, 'ops', { ...RAW, grant }, {}, { autoPong: false });
  const [slow, fast] = [await Looker.open(centre, 'ops', { ...RAW, grant }), await Looker.open(centre, 'ops', { ...RAW, grant })];
  views.show(await liveCommand(mqtt));
  await expect.poll(() => [slow, fast].map((l) => l.packets.length)).toEqual([1, 1]);
  slow.socket.pause();
  let said = 0;
  /** A key frame, and three that need it. */
  const group = async () => {
    for (const key of [true, false, false, false]) media.say(64 * 1024, key);
    said += 4;
    await expect.poll(() => fast.packets.length).toBe(1 + said);
  };
  const dropped = async () => {
    const text = await (await centre.raw('/metrics', { headers: { authorization: `Bearer ${tokenOf('ops')}` } })).text();
    return Number(/gewu_live_dropped_total\{view="raw"\} (\d+)/.exec(text)?.[1] ?? 0);
  };
  // What the kernel holds for a reader that stands still differs from machine to machine: until something is dropped.
  while ((await dropped()) === 0) await group();
  // From then on nothing more waits for it.
  const before = await dropped();
  for (let n = 0; n < 10; n++) await group();
  expect(await dropped()).toBe(before + 40);
  slow.socket.resume();
  await expect
    .poll(async () => {
      await group();
      return slow.packets.length;
    })
    .toBeGreaterThan(20);
  const missed = 1 + said - slow.packets.length;
  expect(missed).toBeGreaterThan(0);
  // Wherever something is missing, a key frame comes next: groups are whole but for their ends.
  const kinds = slow.packets.filter((p) => p.kind === 'media').map((p) => (p.key ? 'K' : 'd'));
  expect(kinds.join('')).toMatch(/^(Kd{0,3})+$/);
  await expect.poll(() => dead.closed).not.toBeNull();
  await expect
    .poll(async () =>
      (await trailOf(centre)).some((e) => e.action === 'raw-view-ended' && 'why' in e.detail && e.detail.why === 'silent'),
    )
    .toBe(true);
  expect(fast.closed).toBeNull();
});

test('over TLS: viewer and edge come by wss, and an edge does not trust a stranger with its password', async () => {
  const dir = await tempDir();
  const [cert, key, other, otherKey] = ['cert.pem', 'key.pem', 'other.pem', 'other.key'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  const ask = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const about = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  execFileSync('openssl', [...ask, ...about, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  execFileSync('openssl', [...ask, ...about, '-keyout', otherKey, '-out', other], { stdio: 'ignore' });
  const { api } = fileOf() as { api: object };
  const { centre, mqtt } = await started({ api: { ...api, tls: { cert, key } } });
  expect(centre.centre.apiUrl).toMatch(/^https:/);
  const looker = await Looker.open(centre, 'viewer', {}, {}, { ca: await readFile(cert) });
  const command = await liveCommand(mqtt);
  const [strange, own] = [other, cert].map((ca) => edgeOf(centre.centre.apiUrl, { ...OWN, tls: { ca } }));
  strange?.views.show(command);
  await strange?.views.stop();
  own?.views.show(command);
  // A masked view begins when the centre has named who looks.
  await expect.poll(() => own?.masked.begun).toBe(1);
  expect(strange?.masked.begun).toBe(0);
  expect(looker.of('state')[0]?.state).toBe('waiting');
});

test('replicas on one PostgreSQL and one Mosquitto: an edge dials the one that asked where that says its address; else that is told', async () => {
  const { one, two, mqtt, looker } = replicas;
  // The edge came to the address that it knows, where nobody had asked; the viewer hears what to do.
  edgeOf(two.centre.apiUrl, OWN).views.show(await liveCommand(mqtt));
  await expect
    .poll(() => looker.of('ended').at(0))
    .toMatchObject({
      code: 'GEWU_LIVE_UNAVAILABLE',
      message: expect.stringContaining('live.edgeUrl'),
    });
  const grant = await rawGrant(one, 'ops');
  const raw = await Looker.open(two, 'ops', { ...RAW, grant });
  const command = await liveCommand(mqtt, 1);
  expect(command.url).toBe(two.centre.apiUrl);
  edgeOf(one.centre.apiUrl, { ...OWN, live: { hosts: [new URL(two.centre.apiUrl).host] } }).views.show(command);
  await expect.poll(() => raw.packets.length).toBe(1);
});

test('what is ended at one replica ends at the other: a grant, and a token; both have one trail', async () => {
  const { one, two } = replicas;
  const grant = await rawGrant(one, 'ops');
  const { body } = await one.post('/api/v1/tokens', 'administrator', { name: 'short', roles: ['viewer'] });
  const [raw, masked] = [
    await Looker.open(two, 'ops', { ...RAW, grant }),
    await Looker.open(two, 'viewer', { token: body.token }),
  ];
  await expect.poll(() => [raw, masked].map((l) => l.of('state')[0]?.state)).toEqual(['waiting', 'waiting']);
  await one.post(`/api/v1/grants/${grant}/end`, 'ops');
  await one.call('administrator', 'DELETE', `/api/v1/tokens/${body.sha256}`);
  expect(await Promise.all([raw.ended(), masked.ended()])).toEqual(['GEWU_LIVE_OVER', 'GEWU_UNAUTHORIZED']);
  const views = async () => (await trailOf(one)).filter((e) => e.action.startsWith('raw-view') && isOf(grant, e.detail));
  await expect.poll(async () => (await views()).map((e) => e.action)).toEqual(['raw-view-ended', 'raw-view-started']);
});
