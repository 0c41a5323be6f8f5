import { describe, expect, onTestFinished, test } from 'vitest';
import { Site } from '#grid/mod.ts';
import type { ConfigNotice, ConfigReport, HealthRecord } from '#grid/wire/mod.ts';
import { createAudit } from '#ingest/audit/mod.ts';
import { createDesiredService, type DesiredError, type DesiredService } from '#ingest/desired/mod.ts';
import { checkConfig, createMetrics, ManualClock, silentLog } from '#service/mod.ts';
import { EDGE, SITE, ZONE } from '../api/fixture.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

const BY = { by: 'ops', roles: ['ops'], reason: 'because' };
const zones = (dwellS: number) => [{ ...ZONE, rules: ZONE.rules.map((r) => ({ ...r, dwellS })) }] as never;
const stateOf = (dwellS: number) => ({ cameras: { 'cam-1': { zones: zones(dwellS) } } });

export const desiredSuite: Suite = (store) => {
  async function open() {
    const clock = new ManualClock();
    const database = await openDatabase(await store.fresh(), clock);
    const audit = createAudit({ database, clock, metrics: createMetrics() });
    const notices: ConfigNotice[] = [];
    const config = { notify: (notice: ConfigNotice) => notices.push(notice) };
    const edges = [
      { id: EDGE, site: checkConfig('test', Site, SITE) },
      { id: 'edge-2', site: null },
    ];
    const replica = (): DesiredService => {
      const service = createDesiredService({ edges, database, audit, config, clock, log: silentLog, metrics: createMetrics() });
      onTestFinished(() => service.stop());
      return service;
    };
    const report = (running: number, revision = running, more: Partial<ConfigReport> = {}): ConfigReport => ({
      ts: clock.now(),
      edge: EDGE,
      of: 'config',
      id: EDGE,
      running,
      revision,
      verdict: running === revision ? 'confirmed' : 'refused',
      notes: [],
      ...more,
    });
    return { service: replica(), audit, replica, clock, notices, report };
  }
  const node = (judged: number): HealthRecord => ({
    ...{ ts: 1, edge: EDGE, of: 'edge', id: EDGE, state: 'online', reason: 'running', since: 1 },
    values: { desiredRunning: judged, desiredJudged: judged },
  });

  describe('desired state', () => {
    test('revisions follow each other, keep who and why, and can be gone back to', async () => {
      const { service, notices, clock, audit } = await open();
      expect(await service.get(EDGE)).toMatchObject({ revision: 0, status: 'none', running: null, state: {} });
      expect(await service.set(EDGE, stateOf(10), { ...BY, revision: 0 })).toMatchObject({ revision: 1, status: 'pending' });
      clock.advance(1000);
      await service.set(EDGE, stateOf(20), { ...BY, by: 'lee', reason: 'too quick', revision: 1 });
      expect(await service.diff(EDGE, 1, 2)).toEqual({
        entries: [{ key: 'cameras.cam-1.zones.z-1.rules.stalls.dwellS', from: 10, to: 20 }],
        truncated: false,
      });
      const back = await service.returnTo(EDGE, 1, { ...BY, revision: 2 });
      expect([back.revision, back.state]).toEqual([3, stateOf(10)]);
      expect((await service.returnTo(EDGE, 0, { ...BY, revision: 3 })).state).toEqual({});
      const list = await service.revisions(EDGE, {});
      expect(list.map((r) => [r.revision, r.by, r.reason])).toEqual([
        [4, 'ops', 'because'],
        [3, 'ops', 'because'],
        [2, 'lee', 'too quick'],
        [1, 'ops', 'because'],
      ]);
      expect((await audit.list({ actor: 'lee' })).items).toMatchObject([
        { action: 'desired-state-set', subject: `edge:${EDGE}`, purpose: 'too quick', detail: { revision: 2, before: 1 } },
      ]);
      expect(await service.revisions(EDGE, { before: 3, limit: 1 })).toMatchObject([{ revision: 2 }]);
      expect(notices.map((n) => n.revision)).toEqual([1, 2, 3, 4]);
      const document = await service.document(EDGE, 2);
      expect([JSON.parse(document.json), document.sha256]).toEqual([stateOf(20), notices[1]?.sha256]);
    });

    test('who has not seen the newest changes nothing; of two at once one wins; what changes nothing is no revision', async () => {
      const { service } = await open();
      await service.set(EDGE, stateOf(10), { ...BY, revision: 0 });
      await expect(service.set(EDGE, stateOf(20), { ...BY, revision: 0 })).rejects.toMatchObject({ code: 'GEWU_REVISION_STALE' });
      const both = await Promise.allSettled([20, 30].map((s) => service.set(EDGE, stateOf(s), { ...BY, revision: 1 })));
      expect(both.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected']);
      expect((await service.set(EDGE, (await service.get(EDGE)).state, { ...BY, revision: 2 })).revision).toBe(2);
      await expect(service.get('edge-9')).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
    });

    test('a camera is set part by part, and a part is given back to the file', async () => {
      const { service } = await open();
      expect(await service.camera(EDGE, 'cam-1')).toMatchObject({ revision: 0, set: [], zones: [], exclude: [] });
      await service.setCamera(EDGE, 'cam-1', { zones: zones(10) }, { ...BY, revision: 0 });
      const view = await service.setCamera(EDGE, 'cam-1', { fps: 4 }, { ...BY, revision: 1 });
      expect(view).toMatchObject({ revision: 2, set: ['zones', 'fps'], fps: 4, zones: zones(10), status: 'pending' });
      expect(view.residualsM).toHaveLength(4);
      await service.setMaintenance(EDGE, [], { ...BY, revision: 2 });
      await service.setCamera(EDGE, 'cam-1', { zones: null }, { ...BY, revision: 3 });
      expect((await service.get(EDGE)).state).toEqual({ cameras: { 'cam-1': { fps: 4 } }, maintenance: [] });
      await expect(service.camera(EDGE, 'cam-9')).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
    });

    test('what the edge could not run is refused with keys, and nothing is stored', async () => {
      const { service, notices } = await open();
      const line = [
        [0.1, 0.1],
        [0.2, 0.2],
        [0.3, 0.3],
      ];
      const bad = { ...ZONE, polygon: line, rules: ZONE.rules.map((r) => ({ ...r, raises: { event: '9999' } })) } as never;
      const keysOf = (error: DesiredError) => error.mistakes.map((m) => m.key);
      const change = { ...BY, revision: 0 };
      const whole = { cameras: { 'cam-1': { zones: [bad] }, ghost: { fps: 1 } } };
      expect(await service.set(EDGE, whole, change).catch(keysOf)).toEqual([
        'cameras.ghost',
        'cameras.cam-1.zones.0.polygon',
        'cameras.cam-1.zones.0.rules.0.raises.event',
      ]);
      expect(await service.setCamera(EDGE, 'cam-1', { zones: [bad] }, { ...change, check: true }).catch(keysOf)).toEqual([
        'zones.0.polygon',
        'zones.0.rules.0.raises.event',
      ]);
      await service.setCamera(EDGE, 'cam-1', { zones: zones(10) }, { ...change, check: true });
      expect([(await service.get(EDGE)).revision, notices]).toEqual([0, []]);
      // Of an edge whose file is not known here, the edge itself is the judge.
      expect((await service.set('edge-2', whole, change)).revision).toBe(1);
    });

    test('what edges say counts by its time, in whatever order it comes, on every replica', async () => {
      const { service, replica, clock, report } = await open();
      await service.set(EDGE, stateOf(10), { ...BY, revision: 0 });
      const confirmed = report(1);
      clock.advance(1000);
      await service.set(EDGE, stateOf(20), { ...BY, revision: 1 });
      const notes = [{ code: 'GEWU_DESIRED_INVALID', key: 'cameras.cam-1', message: 'not here' }];
      const refused = report(1, 2, { notes });
      for (const batch of [[refused], [confirmed], [refused, confirmed]])
        expect(await service.reported(batch)).toEqual(batch.map(() => ({ ok: true })));
      expect(await replica().get(EDGE)).toMatchObject({ revision: 2, status: 'refused', running: 1, notes });
      expect((await service.revisions(EDGE, {})).map((r) => [r.revision, r.verdict, r.notes])).toEqual([
        [2, 'refused', notes],
        [1, 'confirmed', []],
      ]);
      expect(
        await service.reported([report(1, 1, { edge: 'edge-9', id: 'edge-9' }), report(1, 1, { id: 'edge-2' })]),
      ).toMatchObject([{ code: 'GEWU_DEVICE_UNKNOWN' }, { code: 'GEWU_HEALTH_INVALID' }]);
      // An edge that runs what this database has lost: the next revision is above it.
      await service.reported([report(7, 7, { ts: clock.now() + 1e9 })]);
      expect((await service.get(EDGE)).status).toBe('ahead');
      expect((await service.set(EDGE, stateOf(30), { ...BY, revision: 2 })).revision).toBe(8);
    });

    test('a node that has not judged the newest is told of it, not more often than every few seconds', async () => {
      const { service, replica, notices, clock } = await open();
      await service.set(EDGE, stateOf(10), { ...BY, revision: 0 });
      await service.heard([node(0)]);
      clock.advance(10_000);
      await service.heard([node(0), { ...node(0), edge: 'edge-2', id: 'edge-2' }]);
      await replica().heard([node(0)]);
      await service.heard([node(1)]);
      expect(notices.map((n) => [n.edge, n.revision])).toEqual([
        [EDGE, 1],
        [EDGE, 1],
        [EDGE, 1],
      ]);
    });
  });
};
