import { once } from 'node:events';
import { appendFile, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Trail } from '#edge/audit/mod.ts';
import type { HealthLine } from '#grid/wire/mod.ts';
import { auditParts, type EdgeAuditEntry } from '#grid/wire/mod.ts';
import { chainHash, silentLog, systemClock } from '#service/mod.ts';
import { evidenceRoom, sha256Of } from '#test/support/evidence.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { manifestOf } from '../../ingest/evidence/records.ts';

const face = Buffer.from('a face');

/** A centre that knows one grant, for as long as it is told so. */
async function setUp() {
  const asked: string[] = [];
  const known = { grant: 'g-1', originals: [sha256Of(face)] };
  const server = createServer((request, response) => {
    const path = `${request.method} ${request.url?.replace('/api/v1', '')}`;
    if (!path.includes('edge-keys')) asked.push(path);
    request.resume();
    request.on('end', () => {
      const order = {
        grant: known.grant,
        holder: 'li',
        roles: ['command'],
        purpose: 'complaint 17',
        endsAt: 1,
        originals: known.originals,
      };
      if (path === `GET /grants/${known.grant}/order`) response.end(JSON.stringify({ order }));
      else response.writeHead(path.startsWith('GET /grants') ? 403 : path.includes('answer') ? 204 : 201).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const [dataDir, health]: [string, HealthLine[]] = [await tempDir(), []];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { room, close } = await evidenceRoom({ dataDir, url, health });
  onTestFinished(close);
  const about = { sha256: sha256Of(face), bytes: face.length, masked: false };
  const signed = room.shared.signer.sign(
    face,
    { kind: 'snapshot', mediaType: 'image/jpeg', model: 'm@1', masked: false },
    {
      event: 'ev-1',
      class: { flag: 2, code: '0501' },
      place: manifestOf(about).place,
      camera: 'cam-1',
      takenAt: 1,
    },
  );
  await room.shared.originals.put(face, signed);
  const trail = async () => {
    const text = await readFile(join(dataDir, 'audit/audit.ndjson'), 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as EdgeAuditEntry]));
  };
  return { room, asked, known, trail, health };
}

test('a grant that the centre confirms opens what it names: written down first, told to the centre, once however often the command comes', async () => {
  const { room, asked, trail, health } = await setUp();
  room.release({ grant: 'g-1' });
  room.release({ grant: 'g-1' });
  await until(() => asked.includes('POST /grants/g-1/answer'));
  room.release({ grant: 'g-1' });
  await until(() => asked.filter((a) => a.includes('answer')).length === 2);
  expect(asked.slice(0, 3)).toEqual([
    'GET /grants/g-1/order',
    `PUT /grants/g-1/files/${sha256Of(face)}`,
    'POST /grants/g-1/answer',
  ]);
  const lines = await trail();
  expect(lines).toMatchObject([
    { action: 'original-released', actor: 'li', roles: ['command'], purpose: 'complaint 17', grant: 'g-1' },
  ]);
  expect(health.filter((h) => h.of === 'audit')).toMatchObject([{ entry: lines[0] }]);
});

test('a forged or replayed command opens nothing: the centre does not know it, or no longer; refusals are written down, and bounded', async () => {
  const { room, asked, known, trail } = await setUp();
  known.grant = 'over';
  for (let n = 0; n < 3; n++) room.release({ grant: 'g-1' });
  await until(async () => (await trail()).length === 1);
  expect(await trail()).toMatchObject([{ action: 'original-refused', actor: '', subject: 'grant:g-1' }]);
  for (let n = 0; n < 300; n++) room.release({ grant: `flood-${n}` });
  await until(() => asked.length >= 33);
  room.release({ grant: 'g-1' });
  await until(() => asked.at(-1) === 'GET /grants/g-1/order');
  expect(asked.some((a) => a.startsWith('PUT'))).toBe(false);
  expect((await trail()).length).toBeLessThanOrEqual(33);
});

test('an original that is no longer there is told as missing', async () => {
  const { room, asked, known, trail } = await setUp();
  known.originals = ['0'.repeat(64)];
  room.release({ grant: 'g-1' });
  await until(() => asked.includes('POST /grants/g-1/answer'));
  expect(await trail()).toMatchObject([{ action: 'original-missing' }]);
  expect(asked.some((a) => a.startsWith('PUT'))).toBe(false);
});

test('the trail is one chain over restarts and full files, and a torn line breaks nothing', async () => {
  const dir = await tempDir();
  const act = (n: number) => ({ actor: 'li', roles: ['command'], action: 'a', subject: `s:${n}`, purpose: 'p', grant: 'g' });
  const open = async () => {
    const options = {
      dir,
      edge: 'edge-01',
      health: { report: async () => {} },
      clock: systemClock,
      log: silentLog,
      fileBytesMax: 1500,
    };
    const trail = new Trail(options);
    await trail.start();
    return trail;
  };
  const first = await open();
  for (let n = 1; n <= 6; n++) await first.record(act(n));
  const file = join(dir, 'audit.ndjson');
  await appendFile(file, '\n{"seq":99,"to');
  const second = await open();
  await Promise.all([7, 8].map((n) => second.record(act(n))));
  const texts = await Promise.all([`${file}.1`, file].map((f) => readFile(f, 'utf8')));
  const entries = texts
    .join('\n')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as EdgeAuditEntry];
      } catch {
        return [];
      }
    });
  expect(entries.map((e) => e.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].slice(-entries.length));
  for (const [n, e] of entries.entries()) {
    expect(chainHash(auditParts(e))).toBe(e.hash);
    if (n > 0) expect(e.prev).toBe(entries[n - 1]?.hash);
  }
});
