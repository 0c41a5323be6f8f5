import { describe, expect, test } from 'vitest';
import { createAudit } from '#ingest/audit/mod.ts';
import { EdgeKeys, evidenceOfCase } from '#ingest/evidence/mod.ts';
import { createMetrics, keyIdOf, newSigningKey, publicKeyOf, signManifest, silentLog } from '#service/mod.ts';
import { allCases, openCentre, sha, stall, T0, take } from '../cases/fixture.ts';
import type { Suite } from '../database/stores.ts';
import { manifestOf } from './records.ts';

const ADMIN = { id: 'root', roles: ['administrator'] };
const code = (c: string) => ({ code: c });

export const edgeKeysSuite: Suite = (store) => {
  const open = async () => {
    const centre = await openCentre(await store.fresh({ own: true }));
    const { database, clock } = centre;
    const audit = createAudit({ database, clock, metrics: createMetrics() });
    const keys = new EdgeKeys({ database, audit, clock, log: silentLog });
    const actions = async () => (await audit.list({})).items.map((e) => `${e.action} ${e.actor}`).reverse();
    const shown = async () => (await allCases(centre)).map(async ({ id }) => evidenceOfCase({ database, keys }, id));
    return { ...centre, keys, actions, shown };
  };

  describe('keys of edges', () => {
    test('the first key is pinned; another one is refused, shown, and counts only when an administrator accepts it', async () => {
      const { keys, actions, clock } = await open();
      const [a, b] = [publicKeyOf(newSigningKey()), publicKeyOf(newSigningKey())];
      expect(await keys.register('edge-1', a)).toMatchObject({ state: 'pinned', keyId: keyIdOf(a), decidedBy: 'first-use' });
      expect(await keys.register('edge-1', a)).toMatchObject({ state: 'pinned' });
      clock.advance(1000);
      await expect(keys.register('edge-1', b)).rejects.toMatchObject(code('GEWU_NODE_KEY_CHANGED'));
      clock.advance(1000);
      await expect(keys.register('edge-1', b)).rejects.toMatchObject(code('GEWU_NODE_KEY_CHANGED'));
      expect((await keys.list('edge-1')).map((k) => k.state)).toEqual(['pinned', 'waiting']);
      await keys.accept('edge-1', keyIdOf(b), ADMIN);
      expect(await keys.register('edge-1', b)).toMatchObject({ state: 'pinned', decidedBy: 'root' });
      await expect(keys.register('edge-1', a)).rejects.toMatchObject(code('GEWU_NODE_KEY_CHANGED'));
      await expect(keys.accept('edge-1', keyIdOf(a), ADMIN)).rejects.toMatchObject(code('GEWU_NOT_FOUND'));
      expect(await keys.register('edge-2', a)).toMatchObject({ state: 'pinned' });
      await expect(keys.register('edge-3', 'AAAA')).rejects.toMatchObject(code('GEWU_REQUEST_INVALID'));
      expect(await actions()).toEqual([
        'node-key-pinned edge-1',
        'node-key-refused edge-1',
        'node-key-accepted root',
        'node-key-pinned edge-2',
      ]);
    });

    test('the same key from two replicas at once is pinned once', async () => {
      const { keys } = await open();
      const key = publicKeyOf(newSigningKey());
      const both = await Promise.all([keys.register('edge-1', key), keys.register('edge-1', key)]);
      expect(both.map((k) => k.state)).toEqual(['pinned', 'pinned']);
      expect(await keys.list()).toHaveLength(1);
    });

    test('a case says of each file what its signature is worth', async () => {
      const centre = await open();
      const [own, other] = [newSigningKey(), newSigningKey()];
      const fileOf = (name: string, signed: object) =>
        ({ sha256: sha(name), mediaType: 'image/jpeg', bytes: 1000, takenAt: T0, ...signed }) as const;
      const manifest = (name: string, more = {}) => manifestOf({ sha256: sha(name), event: 'ev-1', edge: 'edge-1', ...more });
      const good = signManifest(manifest('good'), own);
      const evidence = [
        fileOf('good', { signed: good }),
        fileOf('plain', {}),
        fileOf('changed', { signed: { ...good, manifest: manifest('changed') } }),
        fileOf('stranger', { signed: signManifest(manifest('stranger'), other) }),
        // A hostile edge's: what another edge has signed, and what it has signed for another event or another file.
        fileOf('stolen', { signed: signManifest(manifest('stolen', { edge: 'edge-2' }), other) }),
        fileOf('replayed', { signed: signManifest(manifest('replayed', { event: 'ev-0' }), own) }),
        fileOf('swapped', { signed: signManifest(manifest('another'), own) }),
      ];
      await take(centre, stall('ev-1', 1, { edge: 'edge-1', evidence }));
      const states = async () => {
        const [files = []] = await Promise.all(await centre.shown());
        return Object.fromEntries(
          evidence.map(({ sha256 }) => sha256).map((h, i) => [i, files.find((f) => f.sha256 === h)?.signature]),
        );
      };
      expect((await states())[0]).toBe('unknown-key');
      await centre.keys.register('edge-1', publicKeyOf(own));
      await centre.keys.register('edge-2', publicKeyOf(other));
      expect(Object.values(await states())).toEqual([
        ...['valid', 'unsigned', 'broken', 'unknown-key', 'unknown-key', 'foreign', 'other-file'],
      ]);
      const [files = []] = await Promise.all(await centre.shown());
      const shown = (name: string) => files.find((f) => f.sha256 === sha(name));
      expect(shown('good')).toMatchObject({
        kind: 'snapshot',
        masked: true,
        original: false,
        event: 'ev-1',
        status: 'pending',
        clockDoubt: null,
      });
      // What nobody vouches for is not believed.
      expect(shown('stranger')).toMatchObject({ masked: null, original: false });
    });
  });
};
