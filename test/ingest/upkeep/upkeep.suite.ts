import { describe, expect, onTestFinished, test } from 'vitest';
import { Site } from '#grid/mod.ts';
import type { HealthRecord } from '#grid/wire/mod.ts';
import { createAudit } from '#ingest/audit/mod.ts';
import { createDesiredService, type DesiredService } from '#ingest/desired/mod.ts';
import { createDeviceService, createRegistry, type DeviceService } from '#ingest/devices/mod.ts';
import { createUpkeepService, UpkeepConfig, type UpkeepService } from '#ingest/upkeep/mod.ts';
import { checkConfig, createMetrics, ManualClock, silentLog } from '#service/mod.ts';
import { EDGE, SITE } from '../api/fixture.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

const T = 1_800_000_000_000;
const OPS = { id: 'olga', roles: ['ops'] };
const LAMPS = Array.from({ length: 6 }, (_, i) => `lamp-${i}`);
const lamp = SITE.devices[2];
/** The site of the API's tests, with six lamps on one circuit and six cameras. */
const site = checkConfig('test', Site, {
  ...SITE,
  devices: [
    ...SITE.devices,
    ...LAMPS.map((id, i) => ({ ...lamp, id, component: `21028301200001${String(i).padStart(2, '0')}`, circuit: 'circuit-1' })),
  ],
  groups: [{ id: 'circuit-1', kind: 'circuit', component: '2102830120009999' }],
  cameras: Array.from({ length: 6 }, (_, i) => ({ ...SITE.cameras[0], id: `cam-${i}` })),
});

interface Bench {
  upkeep: UpkeepService;
  devices: DeviceService;
  desired: DesiredService;
  clock: ManualClock;
  /** Time passes; the edge says that it lives. */
  pass(seconds: number): Promise<void>;
  say(id: string, state: HealthRecord['state'], reason?: string): Promise<void>;
  open(): Promise<string[]>;
}

export const upkeepSuite: Suite = (store) => {
  async function open(): Promise<Bench> {
    const clock = new ManualClock(T);
    const database = await openDatabase(await store.fresh(), clock);
    const registry = createRegistry([{ id: EDGE, site }]);
    const common = { database, clock, log: silentLog, metrics: createMetrics() };
    const audit = createAudit(common);
    const edges = [{ id: EDGE, site }];
    const health = { edgeSilentS: 45, historyDays: 90, historyEntriesMax: 1_000_000 };
    const devices = createDeviceService({ config: health, registry, ...common });
    const desired = createDesiredService({ edges, audit, config: { notify: () => undefined }, ...common });
    const upkeep = createUpkeepService({
      ...{
        config: checkConfig('test', UpkeepConfig, {}),
        edgeSilentMs: 45_000,
        edges,
        registry,
        devices,
        desired,
        audit,
        ...common,
      },
    });
    await devices.start();
    onTestFinished(() => devices.stop());
    const record = (id: string, state: HealthRecord['state'], reason: string): HealthRecord => {
      const of = id === EDGE ? 'edge' : id.startsWith('cam') ? 'camera' : 'device';
      return { ts: clock.now(), edge: EDGE, of, id, state, reason, since: id === EDGE ? T : clock.now() };
    };
    const say = async (id: string, state: HealthRecord['state'], reason = state === 'online' ? 'reporting' : 'silent') => {
      await devices.accept([record(id, state, reason)]);
    };
    await say(EDGE, 'online', 'running');
    return {
      upkeep,
      devices,
      desired,
      clock,
      say,
      async pass(seconds) {
        clock.advance(seconds * 1000);
        await say(EDGE, 'online', 'running');
        await upkeep.look();
      },
      async open() {
        const { items } = await upkeep.cases({ open: true });
        return items.map((c) => `${c.cause} ${c.subject.of}:${c.subject.id} ${c.sick}/${c.members}`).sort();
      },
    };
  }

  describe('maintenance cases', () => {
    test('a fault that lasts opens one, its end closes it, a short one is none', async () => {
      const { say, pass, open: cases, upkeep } = await open();
      await say('mh-1', 'offline');
      await pass(599);
      expect(await cases()).toEqual([]);
      await pass(2);
      expect(await cases()).toEqual(['device-fault device:mh-1 1/1']);
      await say('mh-1', 'online');
      await pass(1);
      expect(await cases()).toEqual([]);
      expect((await upkeep.cases({})).items).toMatchObject([{ state: 'fixed', fixedBy: 'gewu', sick: 0 }]);
      // Back within minutes it is the same; what was well in between stays one case.
      await say('mh-1', 'offline');
      await pass(590);
      await say('mh-1', 'online');
      await pass(1);
      expect((await upkeep.cases({})).items).toHaveLength(1);
    });

    test('a feeder that is gone is one case, and takes in those that were told before', async () => {
      const { say, pass, open: cases, upkeep } = await open();
      await say('lamp-0', 'offline');
      await pass(601);
      expect(await cases()).toEqual(['device-fault device:lamp-0 1/1']);
      for (const id of LAMPS.slice(1, 4)) await say(id, 'offline');
      await pass(601);
      expect(await cases()).toEqual(['device-fault group:circuit-1 4/4']);
      const [group, alone] = (await upkeep.cases({})).items;
      expect(alone).toMatchObject({ state: 'fixed', note: `> ${group?.id}` });
      await say('lamp-5', 'offline');
      await pass(601);
      expect(await cases()).toEqual(['device-fault group:circuit-1 5/5']);
      for (const id of LAMPS) await say(id, 'online');
      await pass(1);
      expect(await cases()).toEqual([]);
    });

    test('a dead edge is one case, whatever hangs on it; cameras of a dead switch are one', async () => {
      const { say, pass, open: cases, upkeep, clock } = await open();
      for (let i = 0; i < 6; i++) await say(`cam-${i}`, 'offline', 'stalled');
      await pass(121);
      expect(await cases()).toEqual([`camera-fault edge:${EDGE} 6/6`]);
      clock.advance(46_000);
      await upkeep.look();
      expect(await cases()).toEqual([`camera-fault edge:${EDGE} 6/6`, `edge-silent edge:${EDGE} 1/1`]);
      await pass(1);
      expect(await cases()).toEqual([`camera-fault edge:${EDGE} 6/6`]);
    });

    test('acknowledged, given to somebody, fixed by word; still sick after the grace, it opens anew', async () => {
      const { say, pass, open: cases, upkeep } = await open();
      await say('mh-1', 'offline');
      await pass(601);
      const id = (await upkeep.cases({})).items[0]?.id ?? '';
      expect((await upkeep.acknowledge([id], OPS))[0]).toMatchObject({ acknowledgedBy: 'olga', state: 'open' });
      expect(await upkeep.assign(id, 'piet', OPS)).toMatchObject({ state: 'assigned', assignedTo: 'piet' });
      expect(await upkeep.fix(id, 'new battery', OPS)).toMatchObject({ state: 'fixed', fixedBy: 'olga', note: 'new battery' });
      await expect(upkeep.fix(id, 'again', OPS)).rejects.toMatchObject({ code: 'GEWU_UPKEEP_REFUSED' });
      await pass(300);
      expect(await cases()).toEqual([]);
      await pass(301);
      expect(await cases()).toEqual(['device-fault device:mh-1 1/1']);
      expect((await upkeep.case(id)).things).toMatchObject([{ of: 'device', id: 'mh-1', state: 'offline' }]);
    });
  });

  describe('maintenance windows', () => {
    test('keep faults from becoming cases, end by themselves, and by word', async () => {
      const { say, pass, open: cases, upkeep, clock, devices } = await open();
      const subjects = [{ of: 'device', id: 'mh-1' } as const];
      await upkeep.begin({ subjects, minutes: 30, reason: 'new lid' }, OPS);
      await say('mh-1', 'offline');
      await pass(1200);
      expect(await cases()).toEqual([]);
      // What happens meanwhile is on record.
      expect((await devices.history('device', 'mh-1', {})).map((h) => h.state)).toEqual(['offline']);
      expect((await upkeep.of(subjects)).get('device mh-1')?.maintenance).toMatchObject({ reason: 'new lid', by: 'olga' });
      await pass(601);
      expect(await cases()).toEqual(['device-fault device:mh-1 1/1']);
      await upkeep.begin({ subjects: [{ of: 'edge', id: EDGE }], minutes: 30, reason: 'power' }, OPS);
      expect((await upkeep.of([{ of: 'camera', id: 'cam-1' }])).get('camera cam-1')?.maintenance).not.toBeNull();
      await upkeep.end({ subjects: [{ of: 'edge', id: EDGE }] }, OPS);
      expect((await upkeep.of([{ of: 'camera', id: 'cam-1' }])).get('camera cam-1')?.maintenance).toBeNull();
      const spans = await upkeep.windowsOf(T, clock.now() + 1);
      expect(spans.find((s) => s.thing.id === 'mh-1')).toMatchObject({ from: T, to: T + 1_800_000 });
      await expect(
        upkeep.begin({ subjects: [{ of: 'device', id: 'ghost' }], minutes: 1, reason: 'x' }, OPS),
      ).rejects.toMatchObject({ code: 'GEWU_NOT_FOUND' });
    });

    test('one that is to come is listed, covers nothing yet, and is ended by its id without what is open now', async () => {
      const { upkeep, clock } = await open();
      const [group, thing] = [{ of: 'group', id: 'circuit-1' } as const, { of: 'device', id: 'mh-1' } as const];
      await upkeep.begin({ subjects: [thing], minutes: 30, reason: 'now' }, OPS);
      const from = clock.now() + 3_600_000;
      const [later] = await upkeep.begin({ subjects: [group, thing], from, minutes: 30, reason: 'later' }, OPS);
      const listed = async () => (await upkeep.windows({ open: true })).items.map((w) => [w.subject.id, w.reason, w.active]);
      expect((await listed()).sort()).toEqual([
        ['circuit-1', 'later', false],
        ['mh-1', 'later', false],
        ['mh-1', 'now', true],
      ]);
      const ofThing = (await upkeep.windows({ open: true })).items.find((w) => w.subject.id === 'mh-1' && !w.active);
      await upkeep.end({ windows: [later?.id ?? '', ofThing?.id ?? ''] }, OPS);
      expect(await listed()).toEqual([['mh-1', 'now', true]]);
      expect((await upkeep.windows({ open: false })).items.map((w) => w.endedBy)).toEqual(['olga', 'olga']);
    });

    test('the edge is told by its desired state, beside the windows of its own file, and when they are over', async () => {
      const { upkeep, desired } = await open();
      const own = { devices: ['mh-2'], from: '2027-01-01T00:00:00Z', to: '2027-01-02T00:00:00Z', reason: 'permit' };
      await desired.setMaintenance(EDGE, [own], { by: 'olga', roles: ['ops'], revision: 0, reason: 'of the file' });
      const [device, group] = [{ of: 'device', id: 'mh-1' } as const, { of: 'group', id: 'circuit-1' } as const];
      await upkeep.begin({ subjects: [device, group], minutes: 60, reason: 'works' }, OPS);
      const told = async () => (await desired.get(EDGE)).state.maintenance;
      expect(await told()).toEqual([
        own,
        expect.objectContaining({ devices: ['mh-1'], to: new Date(T + 3_600_000).toISOString(), reason: 'works' }),
        expect.objectContaining({ group: 'circuit-1' }),
      ]);
      await upkeep.end({ subjects: [device] }, OPS);
      expect((await told())?.map((m) => m.group ?? m.devices?.[0])).toEqual(['mh-2', 'circuit-1']);
    });
  });

  describe('groups and scores', () => {
    test('groups of sites stand beside free ones, which people make', async () => {
      const { upkeep } = await open();
      await upkeep.putGroup('north', 'Northern gate', OPS);
      const members = [{ of: 'device', id: 'mh-1' } as const, { of: 'camera', id: 'cam-1' } as const];
      await upkeep.changeGroup('north', { add: members, remove: [] }, OPS);
      await upkeep.changeGroup('north', { add: members.slice(0, 1), remove: members.slice(1) }, OPS);
      expect(await upkeep.groups()).toEqual([
        { id: 'circuit-1', name: 'circuit-1', kind: 'circuit', edge: EDGE, members: 6 },
        { id: 'north', name: 'Northern gate', kind: 'free', edge: null, members: 1 },
      ]);
      expect((await upkeep.of(members)).get('device mh-1')?.groups).toEqual(['north']);
      expect((await upkeep.group('circuit-1')).members).toHaveLength(6);
      await expect(upkeep.putGroup('circuit-1', 'mine', OPS)).rejects.toMatchObject({ code: 'GEWU_UPKEEP_REFUSED' });
      await upkeep.begin({ subjects: [{ of: 'group', id: 'north' }], minutes: 5, reason: 'x' }, OPS);
      expect((await upkeep.of(members)).get('device mh-1')?.maintenance).not.toBeNull();
      await upkeep.removeGroup('north', OPS);
      expect(await upkeep.groups()).toHaveLength(1);
    });

    test('a score is the weighted mean of its parts, without what is under maintenance', async () => {
      const { upkeep, say, clock } = await open();
      for (const id of ['mh-1', 'mh-2', 'sl-1', ...LAMPS]) await say(id, 'online');
      for (let i = 0; i < 6; i++) await say(`cam-${i}`, i < 3 ? 'online' : 'degraded', 'blurred');
      const score = async () => (await upkeep.scores()).find((s) => s.of === 'edge');
      // Sensors 1, cameras 0.75, heard 1, backlog 1: 0.4 + 0.225 + 0.2 + 0.1.
      expect(await score()).toMatchObject({ score: 93, things: 15, maintenance: 0 });
      const sick = [3, 4, 5].map((i) => ({ of: 'camera', id: `cam-${i}` }) as const);
      await upkeep.begin({ subjects: sick, minutes: 5, reason: 'lenses' }, OPS);
      clock.advance(3_000);
      expect(await score()).toMatchObject({ score: 100, things: 12, maintenance: 3 });
      expect((await upkeep.scores()).find((s) => s.of === 'district')).toMatchObject({ id: '210283', score: 100 });
    });
  });
};
