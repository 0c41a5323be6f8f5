import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportCase } from '#cli/evidence/export.ts';
import { judgeExport } from '#cli/evidence/proof.ts';
import { attest } from '#cli/models/attest.ts';
import { readJpeg } from '#edge/evidence/mod.ts';
import { createEdgeNode, loadEdgeConfig, openDesired, openStartingModel } from '#edge/mod.ts';
import type { CaseEvidenceAnswer, EventAnswer } from '#grid/api/mod.ts';
import type { SiteCamera } from '#grid/mod.ts';
import { loadManifest } from '#models/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { type Finish, ownDir, paintedCamera } from '../edge/cameras/painted.ts';
import { brightCamera, siteOf } from '../edge/cameras/running.ts';
import { RULE, siteCamera } from '../edge/vision/street.ts';
import { EDGE, EDGE_PASSWORD, TestCentre, tokenOf, type Who } from '../ingest/api/fixture.ts';
import { sha256Of } from '../support/evidence.ts';
import { until } from '../support/until.ts';

const MODEL = join(import.meta.dirname, '../models/fixtures/bright-street');
type File = CaseEvidenceAnswer['items'][number];

/** A centre and an edge node with one camera that shows something wrong. */
async function start(onTestFinished: Finish, changes: Partial<SiteCamera> = {}, { striped = false } = {}) {
  const painted = await paintedCamera(onTestFinished);
  painted.striped = striped;
  const site = siteOf([brightCamera(painted, changes)]);
  const centre = await TestCentre.start({ edges: [{ id: EDGE, password: EDGE_PASSWORD, site }] });
  onTestFinished(() => centre.stop());
  const dir = await ownDir(onTestFinished);
  const file = join(dir, 'edge.yaml');
  const config = {
    version: 1,
    edge: { id: EDGE, dataDir: 'data' },
    broker: { port: 0 },
    uplink: { url: `mqtt://127.0.0.1:${centre.centre.brokerPort}`, password: EDGE_PASSWORD, apiUrl: centre.centre.apiUrl },
    vision: { model: MODEL },
    site,
  };
  await writeFile(file, JSON.stringify(config));
  const loaded = await loadEdgeConfig(file);
  const from = { dataDir: loaded.edge.dataDir, ignored: false, log: silentLog };
  const fromCentre = {
    desired: await openDesired({ ...from, site: loaded.site }),
    model: await openStartingModel({ ...from, ownFolder: loaded.vision.model }),
  };
  const node = createEdgeNode({ config: loaded, fromCentre, log: silentLog, clock: systemClock });
  await node.start();
  onTestFinished(() => node.stop());
  return { centre, painted, dataDir: join(dir, 'data') };
}

/** Decodes a file; throws when it is none. */
function probe(file: string): { codec: string; width: number; frames: number } {
  const out = execFileSync('ffprobe', [...['-v', 'error', '-count_frames', '-of', 'json'], '-show_streams', file], {
    encoding: 'utf8',
  });
  const [stream] = (JSON.parse(out) as { streams: { codec_name: string; width: number; nb_read_frames: string }[] }).streams;
  return { codec: stream?.codec_name ?? '', width: stream?.width ?? 0, frames: Number(stream?.nb_read_frames ?? 0) };
}

test.concurrent('an event is proved by a signed picture and clip; its original is opened by a grant, once, with an entry on both sides', async ({
  onTestFinished,
}) => {
  const { centre, dataDir } = await start(onTestFinished);
  const found = await until(async () => (await centre.get('/api/v1/cases')).body.items[0], { timeoutMs: 60_000 });
  const files = async (): Promise<File[]> => (await centre.get(`/api/v1/cases/${found.id}/evidence`)).body.items;
  const stored = (all: File[], kind: string) =>
    all.find((f) => f.kind === kind && f.status === 'stored' && f.signature === 'valid');
  const bytes = async (path: string, who: Who) => {
    const response = await centre.raw(path, { headers: { authorization: `Bearer ${tokenOf(who)}` } });
    return { status: response.status, headers: response.headers, content: Buffer.from(await response.arrayBuffer()) };
  };

  // The picture, then the clip with a later revision: masked, signed by the node, whose key was pinned.
  const picture = await until(async () => stored(await files(), 'snapshot'), { timeoutMs: 20_000 });
  const clip = await until(async () => stored(await files(), 'clip'), { timeoutMs: 60_000 });
  for (const file of [picture, clip]) expect(file).toMatchObject({ masked: true, original: true, clockDoubt: null });
  const { content } = await bytes(`/api/v1/evidence/${clip.sha256}`, 'viewer');
  const mp4 = join(await ownDir(onTestFinished), 'clip.mp4');
  await writeFile(mp4, content);
  expect(probe(mp4)).toMatchObject({ codec: 'h264', width: 320 });
  expect(probe(mp4).frames).toBeGreaterThan(60);
  const { manifest } = clip.signed as NonNullable<File['signed']>;
  expect((manifest.endedAt ?? 0) - manifest.takenAt).toBeGreaterThan(6_000);
  const keys = (await centre.get('/api/v1/edge-keys')).body.items;
  expect(keys).toMatchObject([{ edge: EDGE, state: 'pinned', decidedBy: 'first-use' }]);

  // What was exported proves itself, without a network.
  const exported = join(await ownDir(onTestFinished), 'export');
  await exportCase(new ApiClient(centre.centre.apiUrl, tokenOf('viewer')), found.id, exported);
  const judgements = await judgeExport(exported, []);
  expect(judgements.map((j) => [j.proven, j.trust, j.doubts])).toEqual(judgements.map(() => [true, 'centre', []]));
  expect(judgements.length).toBeGreaterThanOrEqual(2);

  // At the edge the originals are encrypted: nothing of a JPEG or an MP4 can be read there.
  const originals = join(dataDir, 'evidence/originals');
  for (const name of (await readdir(originals)).filter((n) => n.endsWith('.enc'))) {
    const sealed = await readFile(join(originals, name));
    expect([sealed.subarray(0, 3).toString('hex') === 'ffd8ff', sealed.includes('ftyp'), sealed.includes('JFIF')]).toEqual([
      false,
      false,
      false,
    ]);
  }

  // A grant of the event opens both originals, for its holder alone.
  const wanted = { kind: 'original', subject: { of: 'event', id: picture.event }, purpose: 'complaint 2026-17', minutes: 5 };
  expect((await centre.post('/api/v1/grants', 'viewer', wanted)).status).toBe(403);
  const { body: grant } = await centre.post('/api/v1/grants', 'command', wanted);
  const path = `/api/v1/grants/${grant.id}/files`;
  const arrived = await until(
    async () => {
      const { items } = (await centre.get(path, 'command')).body;
      return items.length === 2 ? items : undefined;
    },
    { timeoutMs: 20_000 },
  );
  const original = arrived.find((f: { mediaType: string }) => f.mediaType === 'image/jpeg');
  expect(original.signed.manifest).toMatchObject({ masked: false, event: picture.event, edge: EDGE });
  const opened = await bytes(`${path}/${original.sha256}`, 'command');
  expect([opened.status, sha256Of(opened.content), opened.headers.get('cache-control')]).toEqual([
    200,
    original.sha256,
    'no-store',
  ]);
  for (const who of ['supervision', 'administrator', 'viewer'] as const)
    expect((await bytes(`${path}/${original.sha256}`, who)).status).toBe(403);
  // It never came into the store that everybody reads.
  expect((await bytes(`/api/v1/evidence/${original.sha256}`, 'viewer')).status).toBe(404);
  await until(async () => (await centre.get(`/api/v1/grants/${grant.id}`, 'command')).body.answer === 'sent');

  // Its end takes the files with it, and the key that could open what is left of them.
  const released = join(centre.dir, 'data/evidence/released', grant.id);
  expect(await readdir(released)).toHaveLength(2);
  await centre.post(`/api/v1/grants/${grant.id}/end`, 'command');
  expect((await bytes(`${path}/${original.sha256}`, 'command')).status).toBe(403);
  await until(async () =>
    readdir(released).then(
      () => false,
      () => true,
    ),
  );

  // Who, why and what, at the centre and at the edge, each chained.
  const trail = (await readFile(join(dataDir, 'audit/audit.ndjson'), 'utf8')).split('\n').map((line) => JSON.parse(line));
  expect(trail.map((e) => [e.action, e.actor, e.purpose])).toEqual(
    Array(2).fill(['original-released', 'the-command', 'complaint 2026-17']),
  );
  const entries = async () => (await centre.get('/api/v1/audit?limit=500', 'administrator')).body.items;
  await until(
    async () => (await entries()).filter((e: { action: string }) => e.action === 'edge-original-released').length === 2,
  );
  const ofGrant = (await entries()).filter((e: { detail: { grant?: string } }) => e.detail.grant === grant.id);
  expect(ofGrant.map((e: { action: string }) => e.action).sort()).toEqual([
    ...['edge-original-released', 'edge-original-released', 'grant-created', 'grant-ended', 'grant-used'],
    ...['original-received', 'original-received'],
  ]);
  expect(ofGrant.every((e: { purpose: string }) => e.purpose === 'complaint 2026-17')).toBe(true);
  expect((await centre.get('/api/v1/audit/chain', 'administrator')).body.brokenAt).toBeNull();
}, 180_000);

test.concurrent('a person vouches for the people that a model finds on a camera: its pictures show the street and cover them, until it is taken back', async ({
  onTestFinished,
}) => {
  // One in shadow: an open case would keep the next event quiet.
  const rule = { ...RULE, dwellS: 1, clearS: 1 };
  const zones = siteCamera().zones.map((zone) => ({ ...zone, rules: [rule] }));
  const { centre, painted } = await start(onTestFinished, { simulated: false, zones }, { striped: true });
  const tokenFile = join(await ownDir(onTestFinished), 'token');
  await writeFile(tokenFile, tokenOf('supervision'));
  const attested = async (...args: string[]) => {
    expect(
      await attest(['cam-01', ...args, '--reason', 'counted', '--url', centre.centre.apiUrl, '--token-file', tokenFile]),
    ).toBe(0);
    const { body } = await centre.get(`/api/v1/edges/${EDGE}/desired/cameras/cam-01`);
    await until(async () => (await centre.get(`/api/v1/edges/${EDGE}/desired`)).body.running === body.revision, {
      timeoutMs: 30_000,
    });
    return body.personRecall;
  };
  const seen = new Set<string>();
  /** What the picture of the next event shows clear: the street, the thing, the person beside it. */
  const next = async () => {
    const event = await until(
      async () => (await centre.get('/api/v1/events')).body.items.find((e: EventAnswer) => !seen.has(e.record.subject)),
      { timeoutMs: 30_000 },
    );
    seen.add(event.record.subject);
    const path = `/api/v1/evidence/${event.record.data.evidence[0].sha256}`;
    const answer = await until(
      async () => {
        const response = await centre.raw(path, { headers: { authorization: `Bearer ${tokenOf('viewer')}` } });
        return response.ok ? response : null;
      },
      { timeoutMs: 30_000 },
    );
    const picture = await readJpeg(Buffer.from(await answer.arrayBuffer()));
    painted.grey = 20;
    await until(async () => (await centre.get('/api/v1/events?active=true')).body.items.length === 0, { timeoutMs: 30_000 });
    painted.grey = 200;
    return {
      street: isStriped(picture, [10, 100, 90, 120]),
      thing: isStriped(picture, [102, 84, 138, 116]),
      person: isStriped(picture, [200, 86, 215, 124]),
    };
  };

  const covered = { street: false, thing: true, person: false };
  expect(await next()).toEqual(covered);
  const { manifest } = await loadManifest(MODEL);
  expect(await attested('--sha256', manifest.sha256, '--recall', '0.98', '--people', '400')).toMatchObject({
    by: 'the-supervision',
  });
  expect(await next()).toEqual({ ...covered, street: true });
  expect(await attested('--withdraw')).toBeNull();
  expect(await next()).toEqual(covered);
}, 180_000);

/** Whether the stripes are seen within a part of a picture, in its pixels. */
function isStriped(
  { widthPx, rgba }: Awaited<ReturnType<typeof readJpeg>>,
  [left, top, right, bottom]: [number, number, number, number],
): boolean {
  const y = Math.floor((top + bottom) / 2);
  const row = Array.from({ length: right - left }, (_, n) => rgba[(y * widthPx + left + n) * 4] as number);
  return Math.max(...row) - Math.min(...row) > 40;
}
