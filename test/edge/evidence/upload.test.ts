import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CentreApi } from '#edge/centre/mod.ts';
import { EvidenceStore, EvidenceUploader } from '#edge/evidence/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';

interface Arrival {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A centre that answers as it is told, with 201 when it is told nothing. */
async function centre(answers: (number | 'cut')[] = []) {
  const arrivals: Arrival[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      // It keeps nothing of what was cut off.
      if (request.method === 'GET') return response.writeHead(404).end();
      arrivals.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
      const answer = answers.shift() ?? 201;
      if (answer === 'cut') request.socket.destroy();
      else response.writeHead(answer).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrivals };
}

async function edge(url: string, { dir = '', quotaBytes = 1_000_000 } = {}) {
  const folder = dir === '' ? await tempDir() : dir;
  const common = { clock: systemClock, log: silentLog };
  const store = new EvidenceStore({ dir: folder, quotaBytes, retention: { '*': { days: 30, share: 1 } }, ...common });
  await store.open();
  const api = new CentreApi({ url, edgeId: 'edge-01', password: 'secret-1', clock: systemClock });
  await api.start();
  onTestFinished(() => api.stop());
  const uploader = new EvidenceUploader({ store, centre: api, ...common, backoffMsMin: 20 });
  onTestFinished(() => uploader.stop());
  return { store, uploader, dir: folder };
}

/** Young enough to be kept. */
const NOW = Date.now() - 60_000;
const about = (event: string, takenAt: number) => ({
  mediaType: 'image/jpeg' as const,
  event,
  class: '2:0501',
  takenAt: NOW + takenAt,
});

test('a file is sent under its hash with the credentials of the edge, again and again until the centre has it', async () => {
  const { url, arrivals } = await centre(['cut', 503, 404, 201]);
  const { store, uploader, dir } = await edge(url);
  const content = Buffer.from('a picture');
  const sha256 = createHash('sha256').update(content).digest('hex');
  await expect(store.put(content, about('event-1', 1000))).resolves.toEqual({
    sha256,
    mediaType: 'image/jpeg',
    bytes: 9,
    takenAt: NOW + 1000,
  });
  await uploader.start();
  await until(() => store.stats().pending === 0);
  expect(arrivals).toHaveLength(4);
  for (const { method, url: path, headers, body } of arrivals) {
    expect({ method, path }).toEqual({ method: 'PUT', path: `/api/v1/evidence/${sha256}` });
    expect(headers).toMatchObject({
      'content-type': 'image/jpeg',
      'x-gewu-event': 'event-1',
      authorization: `Basic ${Buffer.from('edge-01:secret-1').toString('base64')}`,
    });
    expect(body.equals(content)).toBe(true);
  }
  expect(await readdir(join(dir, 'sent'))).toEqual([`${sha256}.bin`, `${sha256}.json`]);
  expect(await readdir(join(dir, 'pending'))).toEqual([]);
});

test('a file that the centre will never take does not hold up the next one; 409 means that it has it', async () => {
  const { url, arrivals } = await centre([422, 409]);
  const { store, uploader } = await edge(url);
  await store.put(Buffer.from('one'), about('event-1', 1));
  await store.put(Buffer.from('two'), about('event-2', 2));
  await uploader.start();
  await until(() => store.stats().pending === 0);
  expect(arrivals.map((a) => a.headers['x-gewu-event'])).toEqual(['event-1', 'event-2']);
  expect(store.stats()).toMatchObject({ dropped: 1, files: 1 });
});

test('while one file fails the others go', async () => {
  const { url, arrivals } = await centre([500]);
  const { store, uploader } = await edge(url);
  await store.put(Buffer.from('one'), about('event-1', 1));
  await store.put(Buffer.from('two'), about('event-2', 2));
  await uploader.start();
  await until(() => store.stats().pending === 0);
  expect(arrivals.map((a) => a.headers['x-gewu-event'])).toEqual(['event-1', 'event-2', 'event-1']);
});

test('what was not sent is sent after a restart; half-written files are forgotten', async () => {
  const dead = await edge('http://127.0.0.1:1');
  const { sha256 } = await dead.store.put(Buffer.from('one'), about('event-1', 1));
  await dead.uploader.start();
  await until(() => dead.uploader.stats().failures > 0);
  await dead.uploader.stop();
  await writeFile(join(dead.dir, 'pending', 'torn.bin.part'), 'x');
  await writeFile(join(dead.dir, 'pending', 'unclaimed.bin'), 'x');
  const { url, arrivals } = await centre();
  const alive = await edge(url, { dir: dead.dir });
  expect(await readdir(join(dead.dir, 'pending'))).toEqual([`${sha256}.bin`, `${sha256}.json`]);
  await alive.uploader.start();
  await until(() => arrivals.length === 1);
  expect(arrivals[0]?.headers['x-gewu-event']).toBe('event-1');
  await until(() => alive.store.stats().pending === 0);
});

test('something put while it waits is sent at once', async () => {
  const { url, arrivals } = await centre();
  const { store, uploader } = await edge(url);
  await uploader.start();
  await store.put(Buffer.from('one'), about('event-1', 1));
  uploader.notify();
  await until(() => arrivals.length === 1, { timeoutMs: 3000 });
});

test('above the quota the oldest sent file goes first, then the oldest pending one', async () => {
  const { store } = await edge('http://127.0.0.1:1', { quotaBytes: 100 });
  const put = (letter: string, takenAt: number) => store.put(Buffer.alloc(40, letter), about(`event-${letter}`, takenAt));
  await put('a', 1);
  const { sha256 } = await put('b', 2);
  await store.markSent(sha256);
  await put('c', 3);
  expect(store.pending().map((f) => f.event)).toEqual(['event-a', 'event-c']);
  expect(await store.read(sha256)).toBeNull();
  expect(store.stats()).toMatchObject({ bytes: 80, dropped: 0 });
  await put('d', 4);
  expect(store.pending().map((f) => f.event)).toEqual(['event-c', 'event-d']);
  expect(store.stats()).toMatchObject({ bytes: 80, dropped: 1 });
});

test('after an outage pictures go before clips, whole files of several MiB, one at a time', async () => {
  const { url, arrivals } = await centre();
  const { store, uploader } = await edge(url, { quotaBytes: 1e9 });
  const clip = Buffer.alloc(6 * 1024 ** 2, 'c');
  await store.put(clip, { ...about('event-1', 1), mediaType: 'video/mp4' });
  for (const n of [2, 3]) await store.put(Buffer.from(`picture ${n}`), about(`event-${n}`, n));
  await uploader.start();
  await until(() => store.stats().pending === 0);
  expect(arrivals.map((a) => a.headers['x-gewu-event'])).toEqual(['event-2', 'event-3', 'event-1']);
  expect(arrivals[2]?.body.equals(clip)).toBe(true);
});
