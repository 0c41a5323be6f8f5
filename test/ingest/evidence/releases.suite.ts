import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EvidenceManifest } from '#grid/mod.ts';
import { auditParts } from '#grid/wire/mod.ts';
import { createAudit, EdgeTrails } from '#ingest/audit/mod.ts';
import type { Registry } from '#ingest/devices/mod.ts';
import { EdgeKeys, Releases } from '#ingest/evidence/mod.ts';
import { createGrants } from '#ingest/grants/mod.ts';
import { chainHash, createMetrics, newSigningKey, publicKeyOf, signManifest, silentLog } from '#service/mod.ts';
import { tempDir } from '../../support/temp.ts';
import { openCentre, sha, stall, T0, take } from '../cases/fixture.ts';
import type { Suite } from '../database/stores.ts';
import { manifestOf } from './records.ts';

const LI = { id: 'li', roles: ['command'] };
const WU = { id: 'wu', roles: ['supervision'] };
const code = (c: string) => ({ code: c });
const face = Buffer.from('a face');
const FACE = sha('a face');

export const releasesSuite: Suite = (store) => {
  /** An event of edge-1 with a masked picture whose original is FACE; edge-2 is somebody else, or hostile. */
  const open = async () => {
    const centre = await openCentre(await store.fresh({ own: true }));
    const { database, clock, sent } = centre;
    const common = { database, clock, log: silentLog };
    const audit = createAudit({ database, clock, metrics: createMetrics() });
    const keys = new EdgeKeys({ ...common, audit });
    const grants = createGrants({ ...common, audit, registry: { cameras: new Map() } as unknown as Registry });
    const dir = await tempDir();
    const commands = { send: (edge: string, command: object) => void sent.push({ edge, command: command as never }) };
    const releases = new Releases({ ...common, dir, audit, keys, grants, commands });
    await releases.start();
    onTestFinished(() => releases.stop());
    const [own, hostile] = [newSigningKey(), newSigningKey()];
    await keys.register('edge-1', publicKeyOf(own));
    await keys.register('edge-2', publicKeyOf(hostile));
    const signed = (more: Partial<EvidenceManifest> = {}, key = own) =>
      signManifest(manifestOf({ sha256: FACE, bytes: face.length, masked: false, event: 'ev-1', edge: 'edge-1', ...more }), key);
    const masked = signManifest(manifestOf({ sha256: sha('masked'), event: 'ev-1', edge: 'edge-1', original: FACE }), own);
    const ref = { sha256: sha('masked'), mediaType: 'image/jpeg', bytes: 1000, takenAt: T0, signed: masked } as const;
    await take(centre, stall('ev-1', 1, { edge: 'edge-1', evidence: [ref] }));
    const subject = { of: 'evidence', id: ref.sha256 } as const;
    const grant = await grants.create(LI, { kind: 'original', subject, purpose: 'complaint 17', minutes: 5 });
    const put = (edge: string, with_ = signed(), bytes = face, name = FACE) =>
      releases.put(grant.id, edge, name, with_, Readable.from([bytes]));
    return { ...centre, audit, grants, releases, grant, put, signed, hostile, dir };
  };

  describe('originals under a grant', () => {
    test('the edge is told, may know what it is for, and sends it; the holder reads it until the end', async () => {
      const { sent, grants, grant, releases, put, dir, clock } = await open();
      expect(sent.filter((s) => (s.command.command as string) === 'release-original')).toMatchObject([
        { edge: 'edge-1', command: { grant: grant.id } },
      ]);
      expect(await releases.order(grant.id, 'edge-1')).toMatchObject({
        holder: 'li',
        purpose: 'complaint 17',
        originals: [FACE],
      });
      await put('edge-1');
      await put('edge-1');
      const folder = join(dir, 'released', grant.id);
      expect((await readFile(join(folder, FACE))).includes('a face')).toBe(false);
      expect(await releases.files(grant.id, LI)).toMatchObject([{ sha256: FACE, bytes: face.length }]);
      expect((await releases.read(grant.id, LI, FACE)).content.toString()).toBe('a face');
      for (const read of [() => releases.read(grant.id, WU, FACE), () => releases.files(grant.id, WU)])
        await expect(read()).rejects.toMatchObject(code('GEWU_GRANT_INVALID'));
      await releases.answered(grant.id, 'edge-1', { sent: 1, missing: 0 });
      expect((await grants.get(grant.id)).answer).toBe('sent');
      clock.advance(300_000);
      await expect(releases.read(grant.id, LI, FACE)).rejects.toMatchObject(code('GEWU_GRANT_INVALID'));
      await grants.expire();
      await expect.poll(() => readdir(join(dir, 'released'))).toEqual([]);
      for (const late of [() => put('edge-1'), () => releases.order(grant.id, 'edge-1')])
        await expect(late()).rejects.toMatchObject(code('GEWU_GRANT_INVALID'));
    });

    test('a hostile edge learns nothing of a grant of another, and sends nothing under it', async () => {
      const { grant, releases, put, signed, hostile } = await open();
      for (const call of [
        () => releases.order(grant.id, 'edge-2'),
        () => put('edge-2'),
        () => releases.answered(grant.id, 'edge-2', { sent: 1, missing: 0 }),
      ])
        await expect(call()).rejects.toMatchObject(code('GEWU_GRANT_INVALID'));
      const mismatch = code('GEWU_EVIDENCE_MISMATCH');
      // With the password of edge-1, but not its key.
      await expect(put('edge-1', signed({}, hostile))).rejects.toMatchObject(mismatch);
      await expect(put('edge-1', signed({ edge: 'edge-2' }, hostile))).rejects.toMatchObject(mismatch);
      // What edge-1 itself has signed, for something else.
      await expect(put('edge-1', signed({ event: 'ev-0' }))).rejects.toMatchObject(mismatch);
      await expect(put('edge-1', signed({ masked: true }))).rejects.toMatchObject(mismatch);
      await expect(put('edge-1', signed(), Buffer.from('a fake'))).rejects.toMatchObject(mismatch);
      await expect(put('edge-1', signed({ sha256: sha('other') }), Buffer.from('other'), sha('other'))).rejects.toMatchObject(
        mismatch,
      );
      await expect(put('edge-1', signed(), Buffer.alloc(1_000_000))).rejects.toMatchObject(code('GEWU_PAYLOAD_TOO_LARGE'));
      expect(await releases.files(grant.id, LI)).toEqual([]);
    });

    test("a line of an edge's trail is kept and told once; one that was changed on its way is refused", async () => {
      const { database, clock, audit, grant } = await open();
      const trails = new EdgeTrails({ database, audit, clock });
      const line = {
        seq: 1,
        at: T0,
        actor: 'li',
        roles: ['command'],
        action: 'original-released',
        subject: `evidence:${FACE}`,
        purpose: 'complaint 17',
        grant: grant.id,
        prev: '',
      };
      const report = {
        ts: T0,
        edge: 'edge-1',
        of: 'audit',
        id: 'edge-1',
        entry: { ...line, hash: chainHash(auditParts(line)) },
      } as const;
      expect(await trails.accept([report, report])).toEqual([{ ok: true }, { ok: true }]);
      const changed = { ...report, entry: { ...report.entry, purpose: 'curiosity' } };
      expect(await trails.accept([changed])).toMatchObject([{ ok: false, code: 'GEWU_HEALTH_INVALID' }]);
      const { items } = await audit.list({ action: 'edge-original-released' });
      expect(items).toMatchObject([
        { actor: 'li', purpose: 'complaint 17', detail: { edge: 'edge-1', edgeSeq: 1, grant: grant.id } },
      ]);
    });
  });
};
