import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { CentreApi } from '#edge/centre/mod.ts';
import { EvidenceStore, EvidenceUploader } from '#edge/evidence/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { EDGE, EDGE_PASSWORD, TestCentre, tokenOf } from '../../ingest/api/fixture.ts';

// A busy machine takes its time over some MiB; a wrong result is told long before.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Uploads of an edge over a link that breaks in their middle, to a real centre. */
let centre: TestCentre;
beforeAll(async () => {
  centre = await TestCentre.start();
});
afterAll(() => centre.stop());

const MIB = 1024 ** 2;
const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** A link to the centre that ends a connection when so many bytes have gone up on it, once for each of `cuts`. */
async function link(cuts: number[]) {
  const passed = { bytes: 0, connections: 0 };
  const target = Number(new URL(centre.centre.apiUrl).port);
  const server = createServer((edge) => {
    passed.connections++;
    const far = connect(target, '127.0.0.1');
    let up = 0;
    for (const socket of [edge, far]) socket.on('error', () => {});
    edge.on('data', (chunk: Buffer) => {
      up += chunk.length;
      passed.bytes += chunk.length;
      const cut = cuts[0];
      if (cut !== undefined && up >= cut) {
        cuts.shift();
        edge.destroy();
        // What has come is read to its end.
        far.end(chunk);
      } else far.write(chunk);
    });
    edge.on('close', () => far.end());
    far.on('data', (chunk: Buffer) => edge.write(chunk));
    far.on('close', () => edge.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, passed };
}

async function uploads(url: string, dir: string, backoffMsMin = 20) {
  const common = { clock: systemClock, log: silentLog };
  const store = new EvidenceStore({ dir, quotaBytes: 100 * MIB, retention: { '*': { days: 30, share: 1 } }, ...common });
  await store.open();
  const api = new CentreApi({ url, edgeId: EDGE, password: EDGE_PASSWORD, clock: systemClock });
  await api.start();
  const uploader = new EvidenceUploader({ store, centre: api, ...common, backoffMsMin });
  const stop = async () => {
    await uploader.stop();
    await api.stop();
  };
  onTestFinished(stop);
  return { store, uploader, stop };
}

const clip = () => ({ mediaType: 'video/mp4' as const, event: 'ev-1', class: '2:0501', takenAt: Date.now() - 60_000 });
const stored = async (sha256: string) => {
  const headers = { authorization: `Bearer ${tokenOf('viewer')}` };
  return Buffer.from(await (await centre.raw(`/api/v1/evidence/${sha256}`, { headers })).arrayBuffer());
};

test('an upload that is cut off goes on where it was, also after a restart of the edge, and is the same file', async () => {
  const content = randomBytes(6 * MIB);
  const dir = await tempDir();
  const broken = await link([2 * MIB, 2 * MIB]);
  const first = await uploads(broken.url, dir);
  const { sha256 } = await first.store.put(content, clip());
  await first.uploader.start();
  await until(() => first.uploader.stats().failures === 2, { timeoutMs: 30_000 });
  await first.stop();
  const whole = await link([]);
  const second = await uploads(whole.url, dir);
  await second.uploader.start();
  await until(() => second.store.stats().pending === 0, { timeoutMs: 30_000 });
  expect((await stored(sha256)).equals(content)).toBe(true);
  // Twice two MiB had come.
  expect(whole.passed.bytes).toBeLessThan(2.5 * MIB);
  expect(broken.passed.bytes + whole.passed.bytes).toBeLessThan(7 * MIB);
});

test('a beginning that was spoilt at the centre is forgotten, and the file comes whole', async () => {
  const content = randomBytes(MIB);
  const sha256 = sha256Of(content);
  const authorization = `Basic ${Buffer.from(`${EDGE}:${EDGE_PASSWORD}`).toString('base64')}`;
  const path = `/api/v1/evidence/${sha256}`;
  const begun = async () => (await (await centre.raw(`${path}/upload`, { headers: { authorization } })).json()) as object;
  const put = (bytes: Buffer, offset: number) =>
    centre.raw(path, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'video/mp4', 'x-gewu-offset': String(offset) },
      body: new Uint8Array(bytes),
    });
  expect(await begun()).toEqual({ bytes: 0 });
  // There is nothing that it could go on from.
  expect((await put(content.subarray(1000), 1000)).status).toBe(412);
  const { url } = await link([MIB / 2]);
  const half = await uploads(url, await tempDir(), 60_000);
  // Other bytes under the same hash: as a disk may return them.
  await half.store.put(content, clip());
  half.store.read = async () => Buffer.alloc(MIB, 7);
  await half.uploader.start();
  await until(() => half.uploader.stats().failures >= 1, { timeoutMs: 30_000 });
  await half.uploader.stop();
  const { bytes } = (await begun()) as { bytes: number };
  expect(bytes).toBeGreaterThan(0);
  const refused = await put(content.subarray(bytes), bytes);
  expect([refused.status, ((await refused.json()) as { error: { code: string } }).error.code]).toEqual([
    412,
    'GEWU_EVIDENCE_OFFSET',
  ]);
  expect(await begun()).toEqual({ bytes: 0 });
  expect((await put(content, 0)).status).toBe(201);
  expect(await begun()).toEqual({ bytes: MIB });
  expect((await put(Buffer.alloc(0), MIB)).status).toBe(200);
});
