import { describe, expect, onTestFinished, test } from 'vitest';
import type { HealthRecord } from '#grid/wire/mod.ts';
import { createDeviceService, createRegistry, type DeviceService, type HealthChange } from '#ingest/devices/mod.ts';
import { createMetrics, ManualClock, silentLog } from '#service/mod.ts';
import { EDGE, SITE } from '../api/fixture.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

const T = 1_800_000_000_000;
const record = (
  id: string,
  ts: number,
  state: HealthRecord['state'],
  since = ts,
  of: 'device' | 'camera' = 'device',
): HealthRecord => ({
  ts,
  edge: EDGE,
  of,
  id,
  state,
  reason: state === 'online' ? 'connected' : 'silent',
  since,
});

export const healthSuite: Suite = (store) => {
  async function open(history = {}): Promise<{ service: DeviceService; clock: ManualClock; changes: HealthChange[] }> {
    const clock = new ManualClock(T + 1_000_000);
    const database = await openDatabase(await store.fresh(), clock);
    const registry = createRegistry([{ id: EDGE, site: SITE as never }]);
    const config = { edgeSilentS: 45, historyDays: 90, historyEntriesMax: 1_000_000, ...history };
    const service = createDeviceService({ config, registry, database, clock, log: silentLog, metrics: createMetrics() });
    await service.start();
    onTestFinished(() => service.stop());
    const changes: HealthChange[] = [];
    service.on('change', (change) => changes.push(change));
    return { service, clock, changes };
  }

  describe('health', () => {
    test('the newest report wins, in whatever order they come, and replays leave the same state', async () => {
      const { service } = await open();
      const live = [record('mh-1', T + 5000, 'offline', T + 4000)];
      const backlog = [record('mh-1', T + 1000, 'online'), record('mh-1', T + 2000, 'online', T + 1000)];
      for (const batch of [live, backlog, live, backlog]) await service.accept(batch);
      expect(await service.device('mh-1')).toMatchObject({ state: 'offline', since: T + 4000, lastSeenAt: T + 5000 });
      expect((await service.history('device', 'mh-1', {})).map((h) => [h.ts, h.state])).toEqual([
        [T + 4000, 'offline'],
        [T + 1000, 'online'],
      ]);
    });

    test('firmware stays known when later reports say nothing of it, is counted and looked for', async () => {
      const { service } = await open();
      const said = (id: string, ts: number, firmware: string) => ({ ...record(id, ts, 'online' as const, T), firmware });
      await service.accept([said('mh-1', T, '1.0'), said('mh-2', T, '1.1')]);
      await service.accept([record('mh-1', T + 1000, 'offline'), said('mh-2', T + 1000, '1.0')]);
      expect((await service.device('mh-1')).firmware).toBe('1.0');
      expect((await service.device('mh-2')).firmware).toBe('1.0');
      expect(await service.firmware()).toEqual([
        { of: 'device', firmware: '1.0', count: 2 },
        { of: 'camera', firmware: 'V5.7.3', count: 1 },
      ]);
      const found = async (firmware: string) => (await service.devices({ firmware })).items.map((d) => d.id);
      expect([await found('1.0'), await found('1.1')]).toEqual([['mh-1', 'mh-2'], []]);
      // A camera does not say it: its site does.
      const { items } = await service.cameras({ firmware: 'V5.7.3' });
      expect(items.map((c) => [c.id, c.firmware])).toEqual([['cam-1', 'V5.7.3']]);
    });

    test('a change is said once, a report of the same state is none', async () => {
      const { service, changes } = await open();
      await service.accept([record('mh-1', T, 'online')]);
      await service.accept([record('mh-1', T + 1000, 'online', T), record('mh-1', T + 2000, 'online', T)]);
      await service.accept([record('mh-1', T + 3000, 'offline')]);
      await service.accept([record('mh-1', T + 2500, 'online', T)]);
      expect(changes.map((c) => [c.id, c.state])).toEqual([
        ['mh-1', 'online'],
        ['mh-1', 'offline'],
      ]);
    });

    test('an edge whose clock runs ahead does not silence its own later reports', async () => {
      const { service, clock } = await open();
      await service.accept([record('mh-1', T * 2, 'online')]);
      expect((await service.device('mh-1')).lastSeenAt).toBe(clock.now());
      clock.advance(60_000);
      await service.accept([record('mh-1', clock.now(), 'offline')]);
      expect((await service.device('mh-1')).state).toBe('offline');
    });

    test('what is not registered, or is registered elsewhere, is refused and keeps nobody out', async () => {
      const { service } = await open();
      const other = { ...record('mh-1', T, 'online'), edge: 'edge-2' };
      const foreign: HealthRecord = { ...record('edge-9', T, 'online'), of: 'edge' };
      const verdicts = await service.accept([
        record('ghost', T, 'online'),
        other,
        foreign,
        record('cam-1', T, 'online', T, 'camera'),
      ]);
      expect(verdicts.map((v) => (v.ok ? 'ok' : v.code))).toEqual([
        'GEWU_DEVICE_UNKNOWN',
        'GEWU_DEVICE_UNKNOWN',
        'GEWU_HEALTH_INVALID',
        'ok',
      ]);
      expect((await service.camera('cam-1')).state).toBe('online');
    });

    test('filters by state look behind the first page', async () => {
      const { service } = await open();
      await service.accept([record('sl-1', T, 'degraded')]);
      const { items, cursor } = await service.devices({ state: 'degraded', limit: 1 });
      expect([items.map((d) => d.id), cursor]).toEqual([['sl-1'], null]);
      expect((await service.devices({ state: 'unknown' })).items.map((d) => d.id)).toEqual(['mh-1', 'mh-2']);
    });

    test('an edge is silent after 45 s, what hangs on it unknown; its silence stays in the history', async () => {
      const { service, clock, changes } = await open();
      const alive = (): HealthRecord => ({ ...record(EDGE, clock.now(), 'online', T), of: 'edge' });
      const start = clock.now();
      await service.accept([alive(), record('mh-1', start, 'online')]);
      clock.advance(45_000);
      expect((await service.edge(EDGE)).state).toBe('online');
      clock.advance(1);
      expect(await service.edge(EDGE)).toMatchObject({ state: 'offline', reason: 'silent', since: start });
      expect(await service.device('mh-1')).toMatchObject({ state: 'unknown', reason: 'edge-silent', since: start });
      await service.checkSilence();
      clock.advance(60_000);
      await service.checkSilence();
      // What it reports afterwards says that it was well all the time.
      await service.accept([alive()]);
      await service.checkSilence();
      expect(await service.edge(EDGE)).toMatchObject({ state: 'online' });
      expect((await service.history('edge', EDGE, {})).map((h) => [h.state, h.reason, h.ts - start])).toEqual([
        ['online', 'heard-again', 105_001],
        ['offline', 'silent', 1],
        ['online', 'connected', T - start],
      ]);
      expect(changes.map((c) => c.reason)).toEqual(['connected', 'connected', 'silent', 'heard-again']);
      expect((await service.silentMs(T)).get(EDGE)).toBe(105_000);
    });

    test('history is bounded by age and by number', async () => {
      const { service, clock } = await open({ historyDays: 1, historyEntriesMax: 1000 });
      const flapping = Array.from({ length: 1500 }, (_, i) => record('mh-1', T + i, i % 2 === 0 ? 'online' : 'offline'));
      await service.accept(flapping);
      expect(await service.trim()).toBe(500);
      const left = await service.history('device', 'mh-1', { limit: 500 });
      expect(left[0]?.ts).toBe(T + 1499);
      clock.advance(2 * 86_400_000);
      expect(await service.trim()).toBe(1000);
      // The present state is no history.
      expect((await service.device('mh-1')).state).toBe('offline');
    });
  });
};
