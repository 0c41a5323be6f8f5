import { describe, expect, onTestFinished, test } from 'vitest';
import { createAudit } from '#ingest/audit/mod.ts';
import type { Registry } from '#ingest/devices/mod.ts';
import { createGrants, type Grant } from '#ingest/grants/mod.ts';
import { createMetrics, silentLog } from '#service/mod.ts';
import { openCentre, photo, sha, stall, take } from '../cases/fixture.ts';
import type { Suite } from '../database/stores.ts';

const LI = { id: 'li', roles: ['command'] };
const WU = { id: 'wu', roles: ['supervision'] };
const ADMIN = { id: 'root', roles: ['administrator'] };
const VIEWER = { id: 'viewer', roles: ['viewer'] };
const CAMERA = { of: 'camera', id: 'cam-1' } as const;
const EVENT = { of: 'event', id: 'ev-1' } as const;
const rawView = { kind: 'raw-view', subject: CAMERA, purpose: 'check the barrier', minutes: 10 } as const;
const original = { kind: 'original', subject: EVENT, purpose: 'case 17, complaint', minutes: 5 } as const;
const code = (c: string) => ({ code: c });

export const grantsSuite: Suite = (store) => {
  const open = async () => {
    const centre = await openCentre(await store.fresh({ own: true }));
    const { database, clock } = centre;
    const audit = createAudit({ database, clock, metrics: createMetrics() });
    const registry = { cameras: new Map([['cam-1', { edge: 'edge-1' }]]) } as unknown as Registry;
    const grants = createGrants({ database, audit, registry, clock, log: silentLog });
    await grants.start();
    onTestFinished(() => grants.stop());
    const actions = async () => (await audit.list({})).items.map((e) => `${e.action} ${e.actor} ${e.subject}`).reverse();
    return { ...centre, audit, grants, actions };
  };

  describe('grants', () => {
    test('asked for, used, over in time; each step a line of the trail with the purpose', async () => {
      const { grants, audit, clock, actions } = await open();
      const over: Grant[] = [];
      grants.on('over', (grant) => over.push(grant));
      const grant = await grants.create(LI, rawView);
      expect(grant).toMatchObject({ kind: 'raw-view', subject: CAMERA, edge: 'edge-1', holder: 'li', state: 'active', uses: 0 });
      expect(grant.endsAt - grant.createdAt).toBe(600_000);
      await grants.use(grant.id, LI, 'raw-view', CAMERA);
      clock.advance(600_000);
      await expect(grants.use(grant.id, LI, 'raw-view', CAMERA)).rejects.toMatchObject(code('GEWU_GRANT_INVALID'));
      expect((await grants.get(grant.id)).state).toBe('over');
      clock.advance(30_000);
      await Promise.all([grants.expire(), grants.expire()]);
      expect(over.map((g) => [g.id, g.endedBy, g.endedAt])).toEqual([[grant.id, 'expired', grant.endsAt]]);
      expect(await actions()).toEqual([
        'grant-created li camera:cam-1',
        'grant-used li camera:cam-1',
        'grant-expired gewu camera:cam-1',
      ]);
      const { items } = await audit.list({});
      expect(items.every((e) => e.purpose === rawView.purpose && e.detail.grant === grant.id)).toBe(true);
      expect(await audit.verify()).toMatchObject({ brokenAt: null });
    });

    test('its holder or an administrator ends it early, once; nobody else does', async () => {
      const { grants, actions } = await open();
      const over: string[] = [];
      grants.on('over', (grant) => over.push(`${grant.endedBy}`));
      const [a, b] = [await grants.create(LI, rawView), await grants.create(WU, rawView)];
      await expect(grants.end(a.id, WU)).rejects.toMatchObject(code('GEWU_FORBIDDEN'));
      expect(await grants.end(a.id, LI)).toMatchObject({ state: 'over', endedBy: 'li' });
      expect(await grants.end(a.id, LI)).toMatchObject({ state: 'over', endedBy: 'li' });
      expect(await grants.end(b.id, ADMIN)).toMatchObject({ endedBy: 'root' });
      await expect(grants.use(a.id, LI, 'raw-view', CAMERA)).rejects.toMatchObject(code('GEWU_GRANT_INVALID'));
      expect(over).toEqual(['li', 'root']);
      expect((await actions()).slice(2)).toEqual(['grant-ended li camera:cam-1', 'grant-ended root camera:cam-1']);
    });

    test('it opens what it names, for whom it names, and nothing else', async () => {
      const { grants, actions } = await open();
      const grant = await grants.create(LI, rawView);
      const invalid = code('GEWU_GRANT_INVALID');
      await expect(grants.use(grant.id, WU, 'raw-view', CAMERA)).rejects.toMatchObject(invalid);
      await expect(grants.use(grant.id, LI, 'raw-view', { of: 'camera', id: 'cam-2' })).rejects.toMatchObject(invalid);
      await expect(grants.use(grant.id, LI, 'original', EVENT)).rejects.toMatchObject(invalid);
      await expect(grants.use('nobody', LI, 'raw-view', CAMERA)).rejects.toMatchObject(invalid);
      expect(await actions()).toHaveLength(1);
    });

    test('roles decide, the time is bounded, the subject must exist', async () => {
      const { grants, actions } = await open();
      for (const roles of [['viewer'], ['department'], ['supervisor'], ['machine'], []])
        await expect(grants.create({ id: 'x', roles }, rawView)).rejects.toMatchObject(code('GEWU_FORBIDDEN'));
      await expect(grants.create(VIEWER, original)).rejects.toMatchObject(code('GEWU_FORBIDDEN'));
      await expect(grants.create(ADMIN, original)).rejects.toMatchObject(code('GEWU_FORBIDDEN'));
      const invalid = code('GEWU_REQUEST_INVALID');
      for (const minutes of [0, 61, Number.NaN, Number.POSITIVE_INFINITY])
        await expect(grants.create(LI, { ...rawView, minutes })).rejects.toMatchObject(invalid);
      await expect(grants.create(LI, { ...rawView, subject: EVENT })).rejects.toMatchObject(invalid);
      await expect(grants.create(LI, { ...original, subject: CAMERA })).rejects.toMatchObject(invalid);
      const none = code('GEWU_NOT_FOUND');
      await expect(grants.create(LI, { ...rawView, subject: { of: 'camera', id: 'cam-9' } })).rejects.toMatchObject(none);
      await expect(grants.create(LI, original)).rejects.toMatchObject(none);
      expect(await actions()).toEqual([]);
    });

    test('an event or a file of a case is held by the edge that sent it', async () => {
      const centre = await open();
      await take(centre, stall('ev-1', 1, { edge: 'edge-7', evidence: [photo('before')] }));
      const { grants } = centre;
      expect((await grants.create(LI, original)).edge).toBe('edge-7');
      const file = { of: 'evidence', id: sha('before') } as const;
      expect((await grants.create(LI, { ...original, subject: file })).edge).toBe('edge-7');
    });

    test('one account has so many open at a time, and lists go page by page', async () => {
      const { grants, clock } = await open();
      const made: Grant[] = [];
      for (let n = 0; n < 16; n++) {
        made.push(await grants.create(LI, rawView));
        clock.advance(10);
      }
      await expect(grants.create(LI, rawView)).rejects.toMatchObject(code('GEWU_TOO_MANY_REQUESTS'));
      await grants.create(WU, rawView);
      await grants.end((made[0] as Grant).id, LI);
      await grants.create(LI, rawView);
      const first = await grants.list({ holder: 'li', active: true, limit: 10 });
      const second = await grants.list({ holder: 'li', active: true, limit: 10, cursor: first.cursor ?? '' });
      expect([first.items.length, second.items.length, second.cursor]).toEqual([10, 6, null]);
      expect((await grants.list({ active: false })).items.map((g) => g.id)).toEqual([made[0]?.id]);
    });
  });
};
