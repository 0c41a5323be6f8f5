import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LastPictures } from '#ingest/live/mod.ts';
import { silentLog } from '#service/mod.ts';
import { EDGE, EDGE_PASSWORD, type EdgeClient, photo, stall, TestCentre, tokenOf } from '../api/fixture.ts';

/** What a camera looked like when it was seen last, for who draws on its picture while it is away. */
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

const PATH = '/api/v1/cameras/cam-1/snapshot';
const last = async () => {
  const answer = await centre.raw(PATH, { headers: { authorization: `Bearer ${tokenOf('viewer')}` } });
  return { status: answer.status, at: answer.headers.get('last-modified'), bytes: Buffer.from(await answer.arrayBuffer()) };
};
const snapshotAt = async () => (await centre.get('/api/v1/cameras/cam-1/live')).body.snapshotAt;

test('the last masked picture of a camera is that of an event or of a live view, whichever is newer', async () => {
  expect([(await centre.get(PATH)).status, await snapshotAt()]).toEqual([404, null]);
  expect((await centre.get('/api/v1/cameras/nobody/snapshot')).status).toBe(404);
  // Of an event, once the file has come.
  const jpeg = randomBytes(5000);
  const sha256 = createHash('sha256').update(jpeg).digest('hex');
  const takenAt = Date.now() - 60_000;
  await edge.send('events', [stall('ev-1', 1, { evidence: [{ ...photo('x', takenAt), sha256, bytes: jpeg.length }] })]);
  expect(await snapshotAt()).toBeNull();
  const authorization = `Basic ${Buffer.from(`${EDGE}:${EDGE_PASSWORD}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'image/jpeg', 'x-gewu-event': 'ev-1' };
  expect((await centre.raw(`/api/v1/evidence/${sha256}`, { method: 'PUT', headers, body: jpeg })).status).toBe(201);
  expect(await snapshotAt()).toBe(takenAt);
  expect(await last()).toEqual({ status: 200, at: new Date(takenAt).toUTCString(), bytes: jpeg });
  // Somebody looks: one picture in ten seconds is kept, and none that is far too large.
  const pictures = new LastPictures({ dir: join(centre.dir, 'data/pictures'), log: silentLog });
  const seen = randomBytes(3000);
  pictures.offer('cam-1', takenAt - 1000, randomBytes(2 * 1024 * 1024));
  pictures.offer('cam-1', takenAt + 20_000, seen);
  pictures.offer('cam-1', takenAt + 21_000, randomBytes(3000));
  await expect.poll(snapshotAt).toBe(takenAt + 20_000);
  expect((await last()).bytes).toEqual(seen);
});
