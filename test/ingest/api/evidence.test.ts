import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EDGE, EDGE_PASSWORD, stall, TestCentre, tokenOf } from './fixture.ts';

let centre: TestCentre;
beforeAll(async () => {
  centre = await TestCentre.start();
});
afterAll(() => centre.stop());

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const BASIC = `Basic ${Buffer.from(`${EDGE}:${EDGE_PASSWORD}`).toString('base64')}`;
const put = (name: string, bytes: Buffer, headers: Record<string, string> = {}) =>
  centre.raw(`/api/v1/evidence/${name}`, {
    method: 'PUT',
    headers: { authorization: BASIC, 'content-type': 'image/jpeg', 'x-gewu-event': 'ev-1', ...headers },
    body: new Uint8Array(bytes),
  });
const read = (name: string, headers: Record<string, string> = {}) =>
  centre.raw(`/api/v1/evidence/${name}`, { headers: { authorization: `Bearer ${tokenOf('viewer')}`, ...headers } });
const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;

test('an edge uploads a photo; whoever may view reads it, unchanged and for ever', async () => {
  const photo = randomBytes(200_000);
  const name = sha(photo);
  const first = await put(name, photo);
  expect([first.status, await first.json()]).toMatchObject([201, { sha256: name, bytes: 200_000, mediaType: 'image/jpeg' }]);
  expect((await put(name, photo)).status).toBe(200);
  const answer = await read(name);
  expect(Buffer.from(await answer.arrayBuffer()).equals(photo)).toBe(true);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'image/jpeg',
    'content-length': '200000',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, max-age=31536000, immutable',
    'content-security-policy': "default-src 'none'; sandbox",
    etag: `"${name}"`,
  });
  const again = await read(name, { 'if-none-match': `"${name}"` });
  expect([again.status, await again.text()]).toEqual([304, '']);
});

test('a signed series of readings is evidence too', async () => {
  const series = Buffer.from('{"readings":[1,2,3]}');
  expect((await put(sha(series), series, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(201);
  const answer = await read(sha(series));
  expect([answer.headers.get('content-type'), await answer.json()]).toEqual(['application/json', { readings: [1, 2, 3] }]);
});

test('a case says pending until the file is there', async () => {
  const photo = randomBytes(1000);
  const edge = await centre.edge();
  const evidence = [{ sha256: sha(photo), mediaType: 'image/jpeg' as const, bytes: 1000, takenAt: Date.now() }];
  await edge.send('events', [stall('ev-photo', 1, { evidence })]);
  const statusOf = async () => (await centre.get('/api/v1/cases')).body.items[0].evidence[0].status;
  expect(await statusOf()).toBe('pending');
  expect((await put(sha(photo), photo)).status).toBe(201);
  expect(await statusOf()).toBe('stored');
  await edge.close();
});

test('refused: other bytes, too many, other types, a bad hash, a bad event, no right', async () => {
  const bytes = randomBytes(100);
  const mismatch = await put(sha(Buffer.from('else')), bytes);
  expect([mismatch.status, await codeOf(mismatch)]).toEqual([422, 'GEWU_EVIDENCE_MISMATCH']);
  expect((await read(sha(Buffer.from('else')))).status).toBe(404);
  expect((await put('zz', bytes)).status).toBe(400);
  expect((await put(sha(bytes), bytes, { 'content-type': 'text/html' })).status).toBe(400);
  expect((await put(sha(bytes), bytes, { 'x-gewu-event': '../../etc' })).status).toBe(400);
  expect((await put(sha(bytes), bytes, { authorization: `Bearer ${tokenOf('viewer')}` })).status).toBe(403);
  expect(
    (await put(sha(bytes), bytes, { authorization: `Basic ${Buffer.from(`${EDGE}:wrong`).toString('base64')}` })).status,
  ).toBe(401);
  expect((await put(sha(bytes), bytes, { authorization: `Bearer ${tokenOf('supervisor')}` })).status).toBe(201);
  // And an edge does nothing else than upload.
  expect((await centre.raw(`/api/v1/evidence/${sha(bytes)}`, { headers: { authorization: BASIC } })).status).toBe(401);
});

test('an upload without end is cut off at the limit', async () => {
  const { port } = new URL(centre.centre.apiUrl);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.write(
    `PUT /api/v1/evidence/${'a'.repeat(64)} HTTP/1.1\r\nhost: x\r\nauthorization: ${BASIC}\r\ncontent-type: image/jpeg\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x100000), Buffer.from('\r\n')]);
  let sentMiB = 0;
  // Far more than the limit, but an end that a test survives.
  while (!socket.destroyed && sentMiB < 200) {
    sentMiB++;
    // A reset shows as an error of the socket, which the close then follows.
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
  }
  await closed;
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(sentMiB).toBeLessThan(100);
  expect((await read('a'.repeat(64))).status).toBe(404);
});
