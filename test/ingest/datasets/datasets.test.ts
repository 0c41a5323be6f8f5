import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { models } from '#cli/models/command.ts';
import { readFolder, readPicture } from '#models/eval/mod.ts';
import { readDataset } from '#models/import/mod.ts';
import { loadManifest } from '#models/mod.ts';
import { writeDataset } from '#simulators/mod.ts';
import { type Find, QuickEdge } from '../../support/finds.ts';
import { EDGE, EDGE_PASSWORD, type EdgeClient, SITE, T0, TestCentre, tokenOf } from '../api/fixture.ts';

/** What reviewers said of real pictures of a real model becomes a dataset, over the API and by the command. */

let centre: TestCentre;
let client: EdgeClient;
let edge: QuickEdge;
let finds: Find[];
const HOUR_MS = 3_600_000;

beforeAll(async () => {
  const site = { ...SITE, cameras: SITE.cameras.map((c) => ({ ...c, simulated: false })) };
  centre = await TestCentre.start({ edges: [{ id: EDGE, password: EDGE_PASSWORD, site }] });
  client = await centre.edge();
  edge = new QuickEdge(centre, client);
  const dir = join(centre.dir, 'drawn');
  await writeDataset({ out: dir, seed: 5, images: 6 });
  const model = await loadManifest('models/street-drawn');
  const { pictures } = await readFolder(dir);
  finds = await edge.report({ model, pictures, camera: 'cam-1', scoreMin: 0.35, takenAt: (n) => T0 + n * HOUR_MS });
});
afterAll(async () => {
  await client?.close();
  await centre?.stop();
});

const make = (body: object = {}, who: Parameters<TestCentre['post']>[1] = 'supervision') =>
  centre.post('/api/v1/datasets', who, { name: 'street', reason: 'what November taught', ...body });
const judge = (event: string, verdict: object) => centre.call('supervision', 'PUT', `/api/v1/events/${event}/verdict`, verdict);

test('verdicts become a version by their content; what says nothing usable is counted, not learnt', async () => {
  expect(finds.length).toBeGreaterThan(4);
  expect((await make()).body.error).toMatchObject({ code: 'GEWU_DATASET_TOO_SMALL' });
  const [first, second, third] = finds as [Find, Find, Find];
  for (const { event } of finds) expect((await judge(event, { verdict: 'accepted' })).status).toBe(200);
  // Nobody knows this edge's key yet.
  expect((await make()).body.error.message).toContain('0 camera-hours');
  await edge.register();
  const { body: all } = await make();
  expect(all).toMatchObject({ scenes: 'real-scenes', counts: { leftOut: {}, nothings: {} } });
  expect((await make()).body.id).toBe(all.id);

  await judge(first.event, { verdict: 'rejected', reason: 'nothing-there' });
  await judge(second.event, { verdict: 'rejected', reason: 'wrong-class' });
  await judge(third.event, { verdict: 'rejected', reason: 'permitted' });
  const { body: next } = await make();
  expect(next.id).not.toBe(all.id);
  expect(next.counts).toMatchObject({ nothings: { [first.detects]: 1 }, leftOut: { unclear: 1 } });
  const { body: version } = await centre.get(`/api/v1/datasets/${next.id}`);
  const label = (event: string) => version.items.find((i: { event: string }) => i.event === event)?.label;
  expect([label(first.event), label(second.event), label(third.event)]).toEqual(['nothing', undefined, 'thing']);
  // Pictures of one camera and hour are on one side.
  const sides = Map.groupBy(version.items as { takenAt: number; split: string }[], (i) => i.takenAt);
  expect([...sides.values()].every((items) => new Set(items.map((i) => i.split)).size === 1)).toBe(true);
  expect(new Set(version.items.map((i: { split: string }) => i.split)).size).toBe(3);
  // The first version is as it was.
  expect((await centre.get(`/api/v1/datasets/${all.id}`)).body.items).toHaveLength(finds.length);
  expect((await centre.get('/api/v1/datasets')).body.items.map((d: { id: string }) => d.id)).toContain(all.id);
  const trail = (await centre.get(`/api/v1/audit?subject=dataset:${all.id}`, 'administrator')).body.items;
  expect(trail).toMatchObject([{ action: 'dataset-made', actor: 'the-supervision', purpose: 'what November taught' }]);
  for (const who of ['viewer', 'ops', 'command', 'machine'] as const) expect((await make({}, who)).status).toBe(403);
  expect((await make({ cameras: ['cam-9'] })).status).toBe(404);
  expect((await make({ classes: ['nothing-such'] })).body.error.code).toBe('GEWU_DATASET_TOO_SMALL');
});

test('gewu models dataset fetches a version as a folder that can be imported: the event is as it was, without strip and frame', async () => {
  const dir = join(centre.dir, 'city');
  const token = join(centre.dir, 'token');
  await writeFile(token, tokenOf('supervision'));
  const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const flags = ['--url', centre.centre.apiUrl, '--token-file', token];
  expect(await models.run(['dataset', dir, '--reason', 'to learn from', '--name', 'street', ...flags, '--json'])).toBe(0);
  const told = JSON.parse(String(said.mock.calls.at(-1)?.[0]));
  said.mockRestore();
  const read = await readDataset(dir);
  expect(read).toMatchObject({
    layout: 'verdicts',
    faults: [],
    origin: { dataset: told.dataset, originals: 0, scenes: 'real-scenes' },
  });
  expect(read.classes).toEqual((await loadManifest('models/street-drawn')).manifest.classes);
  const pictures = Object.values(read.splits).flat();
  expect(pictures).toHaveLength(told.pictures);
  const [picture] = pictures.filter((p) => p.boxes.some((b) => b.visible === 1));
  const { widthPx, heightPx, rgba } = await readPicture(picture?.file ?? '');
  expect([widthPx, heightPx]).toEqual([640, 360]);
  // No red frame is left to learn from.
  let red = 0;
  for (let at = 0; at < rgba.length; at += 4)
    if ((rgba[at] as number) > 200 && (rgba[at + 1] as number) < 110 && (rgba[at + 2] as number) < 100) red++;
  const evidence = await loadImage(await maskedOf(picture?.file ?? ''));
  expect(evidence.height).toBeGreaterThan(heightPx);
  expect(red).toBeLessThan(40);
  await expect(models.run(['dataset', dir, '--reason', 'twice', ...flags])).rejects.toMatchObject({ code: 'GEWU_USAGE' });
});

test('an original that a grant has opened for its holder takes the place of its masked picture, for nobody else', async () => {
  const [{ event }] = finds as [Find];
  const wanted = { kind: 'original', subject: { of: 'event', id: event }, purpose: 'training of the next model', minutes: 5 };
  const { body: grant } = await centre.post('/api/v1/grants', 'supervision', wanted);
  const original = await edge.release(grant.id, event);
  const { body: version } = await make();
  const fetch = async (who: 'supervision' | 'command', dir: string) => {
    const token = join(centre.dir, `token-of-${who}`);
    await writeFile(token, tokenOf(who));
    const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const flags = ['--id', version.id, '--grants', grant.id, '--url', centre.centre.apiUrl, '--token-file', token, '--json'];
    try {
      await models.run(['dataset', dir, ...flags]);
      return JSON.parse(String(said.mock.calls.at(-1)?.[0]));
    } finally {
      said.mockRestore();
    }
  };
  const dir = join(centre.dir, 'with-original');
  expect(await fetch('supervision', dir)).toMatchObject({ dataset: version.id, originals: 1 });
  const { items } = (await centre.get(`/api/v1/datasets/${version.id}`)).body;
  const { split } = items.find((i: { event: string }) => i.event === event);
  expect((await readFile(join(dir, split, 'images', `${event}.jpg`))).equals(original)).toBe(true);
  expect((await readDataset(dir)).origin).toMatchObject({ originals: 1 });
  const trail = (await centre.get('/api/v1/audit?limit=100', 'administrator')).body.items;
  expect(trail.find((e: { action: string }) => e.action === 'grant-used')).toMatchObject({ actor: 'the-supervision' });
  await expect(fetch('command', join(centre.dir, 'of-another'))).rejects.toMatchObject({ code: 'GEWU_GRANT_INVALID' });
  await centre.post(`/api/v1/grants/${grant.id}/end`, 'supervision');
  await expect(fetch('supervision', join(centre.dir, 'too-late'))).rejects.toMatchObject({ code: 'GEWU_GRANT_INVALID' });
});

/** The file of evidence that a picture of the folder was made of. */
async function maskedOf(file: string): Promise<Buffer> {
  const event = file.split('/').at(-1)?.replace('.jpg', '') ?? '';
  const { record } = (await centre.get('/api/v1/events?limit=500')).body.items.find(
    (e: { record: { subject: string } }) => e.record.subject === event,
  );
  const response = await centre.raw(`/api/v1/evidence/${record.data.evidence[0].sha256}`, {
    headers: { authorization: `Bearer ${tokenOf('viewer')}` },
  });
  return Buffer.from(await response.arrayBuffer());
}
