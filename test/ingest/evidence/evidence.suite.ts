import { createHash } from 'node:crypto';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { createEvidenceStore, type EvidenceConfig } from '#ingest/evidence/mod.ts';
import { createMetrics, silentLog } from '#service/mod.ts';
import { tempDir } from '../../support/temp.ts';
import { allCases, openCentre, stall, T0, take } from '../cases/fixture.ts';
import type { StoreUnderTest, Suite } from '../database/stores.ts';

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const JPEG = 'image/jpeg';
const picture = Buffer.from('a picture, as far as this store knows');

async function openEvidence(fresh: StoreUnderTest['fresh'], config: Partial<EvidenceConfig> = {}) {
  const centre = await openCentre(await fresh());
  const dir = await tempDir();
  const evidence = createEvidenceStore({
    config: { dir, quotaBytes: 1024 ** 3, ...config },
    database: centre.database,
    clock: centre.clock,
    log: silentLog,
    metrics: createMetrics(),
    onStored: (hash) => centre.cases.evidenceStored(hash),
  });
  await evidence.start();
  return { centre, evidence, dir };
}

async function files(dir: string): Promise<string[]> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true });
  return found.filter((f) => f.isFile()).map((f) => f.name);
}

export const evidenceSuite: Suite = ({ fresh }) => {
  it('stores a file under its hash once, and gives it back', async () => {
    const { evidence, dir } = await openEvidence(fresh);
    const hash = sha(picture);
    const first = await evidence.put(hash, JPEG, Readable.from([picture.subarray(0, 5), picture.subarray(5)]));
    expect(first).toMatchObject({ sha256: hash, bytes: picture.length, mediaType: JPEG, created: true });
    expect(await evidence.put(hash, JPEG, picture)).toMatchObject({ created: false });
    expect(await files(dir)).toEqual([hash]);
    expect(await files(join(dir, hash.slice(0, 2), hash.slice(2, 4)))).toEqual([hash]);
    const { stream, ...meta } = await evidence.open(hash);
    expect(meta).toMatchObject({ bytes: picture.length, mediaType: JPEG });
    expect(await buffer(stream)).toEqual(picture);
  });

  it('refuses bytes of another hash, too many, none, a wrong type or name, and leaves nothing behind', async () => {
    const { evidence, dir } = await openEvidence(fresh);
    const hash = sha(picture);
    const code = (c: string) => ({ code: c });
    await expect(evidence.put(hash, JPEG, Buffer.from('other'))).rejects.toMatchObject(code('GEWU_EVIDENCE_MISMATCH'));
    await expect(evidence.put(hash, JPEG, picture, { maxBytes: 10 })).rejects.toMatchObject(code('GEWU_PAYLOAD_TOO_LARGE'));
    await expect(evidence.put(sha(Buffer.alloc(0)), JPEG, Buffer.alloc(0))).rejects.toMatchObject(code('GEWU_REQUEST_INVALID'));
    await expect(evidence.put(hash, 'text/html', picture)).rejects.toMatchObject(code('GEWU_REQUEST_INVALID'));
    await expect(evidence.put('../../etc/passwd', JPEG, picture)).rejects.toMatchObject(code('GEWU_REQUEST_INVALID'));
    const broken = Readable.from(
      (async function* () {
        yield picture.subarray(0, 5);
        throw new Error('the connection was lost');
      })(),
    );
    await expect(evidence.put(hash, JPEG, broken)).rejects.toThrow('the connection was lost');
    expect(await files(dir)).toEqual([]);
    await expect(evidence.open(hash)).rejects.toMatchObject(code('GEWU_NOT_FOUND'));
    expect(await evidence.put(hash, JPEG, picture)).toMatchObject({ created: true });
  });

  it('an endless upload ends at 16 MiB, whatever the caller allows', async () => {
    const { evidence, dir } = await openEvidence(fresh);
    let sent = 0;
    const endless = Readable.from(
      (async function* () {
        for (; sent < 20; sent++) yield Buffer.alloc(1024 * 1024);
      })(),
    );
    await expect(evidence.put(sha(picture), JPEG, endless, { maxBytes: 1e12 })).rejects.toMatchObject({
      code: 'GEWU_PAYLOAD_TOO_LARGE',
    });
    expect(await files(dir)).toEqual([]);
  });

  it('puts uploads off at the quota and deletes nothing', async () => {
    const { evidence, dir } = await openEvidence(fresh, { quotaBytes: picture.length + 3 });
    await evidence.put(sha(picture), JPEG, picture);
    const second = Buffer.from('another');
    await expect(evidence.put(sha(second), JPEG, second)).rejects.toMatchObject({ code: 'GEWU_EVIDENCE_FULL', remedy: 'retry' });
    expect(await evidence.put(sha(picture), JPEG, picture)).toMatchObject({ created: false });
    expect(await files(dir)).toEqual([sha(picture)]);
  });

  it('what was cut off takes room of the quota, from others', async () => {
    const { evidence } = await openEvidence(fresh, { quotaBytes: 2 * picture.length });
    const cut = Readable.from(
      (async function* () {
        yield picture.subarray(0, 5);
        throw new Error('the connection was lost');
      })(),
    );
    const going = { sender: 'edge-1', offset: 0 };
    await expect(evidence.put(sha(picture), JPEG, cut, going)).rejects.toThrow('the connection was lost');
    const other = Buffer.alloc(2 * picture.length - 4);
    const another = { sender: 'edge-2', offset: 0 };
    await expect(evidence.put(sha(other), JPEG, other, another)).rejects.toMatchObject({ code: 'GEWU_EVIDENCE_FULL' });
    // Its own beginning is no other's.
    const rest = { ...going, offset: await evidence.uploaded(sha(picture), 'edge-1') };
    expect(await evidence.put(sha(picture), JPEG, picture.subarray(rest.offset), rest)).toMatchObject({ created: true });
    const last = Buffer.alloc(picture.length, 1);
    expect(await evidence.put(sha(last), JPEG, last)).toMatchObject({ created: true });
  });

  it('turns pending into stored, in whatever order file and event come', async () => {
    const { centre, evidence } = await openEvidence(fresh);
    const early = Buffer.from('before its event');
    const late = Buffer.from('after its event');
    await evidence.put(sha(early), JPEG, early);
    const ref = (bytes: Buffer) => ({ sha256: sha(bytes), mediaType: JPEG, bytes: bytes.length, takenAt: T0 }) as const;
    await take(centre, stall('a', 1, { evidence: [ref(early), ref(late)] }));
    const shown = async () => Object.fromEntries(((await allCases(centre))[0]?.evidence ?? []).map((e) => [e.sha256, e.status]));
    expect(await shown()).toEqual({ [sha(early)]: 'stored', [sha(late)]: 'pending' });
    await evidence.put(sha(late), JPEG, late);
    expect(await shown()).toEqual({ [sha(early)]: 'stored', [sha(late)]: 'stored' });
    expect(centre.changes.at(-1)).toMatchObject({ what: 'evidence' });
  });

  it('the same file from many at once is one file', async () => {
    const { evidence, dir } = await openEvidence(fresh);
    await Promise.all(Array.from({ length: 10 }, () => evidence.put(sha(picture), JPEG, Readable.from([picture]))));
    expect(await files(dir)).toEqual([sha(picture)]);
  });

  it('an upload mends a file that is on record and gone from the disk', async () => {
    const { evidence, dir } = await openEvidence(fresh);
    const hash = sha(picture);
    await evidence.put(hash, JPEG, picture);
    await rm(join(dir, hash.slice(0, 2)), { recursive: true });
    await expect(evidence.open(hash)).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
    await evidence.put(hash, JPEG, picture);
    expect(await buffer((await evidence.open(hash)).stream)).toEqual(picture);
  });

  it('sweeps half uploads of a crash, and leaves those that may still run', async () => {
    const { centre, evidence, dir } = await openEvidence(fresh);
    const now = centre.clock.now() / 1000;
    for (const [name, age] of [
      ['old', 90_000],
      ['young', 60],
    ] as const) {
      await writeFile(join(dir, 'incoming', name), 'half');
      await utimes(join(dir, 'incoming', name), now - age, now - age);
    }
    await evidence.start();
    expect(await readdir(join(dir, 'incoming'))).toEqual(['young']);
  });
};
