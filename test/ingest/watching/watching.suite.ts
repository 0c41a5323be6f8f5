import { expect, test } from 'vitest';
import type { HealthRecord } from '#grid/wire/mod.ts';
import { createAudit } from '#ingest/audit/mod.ts';
import { createDesiredService } from '#ingest/desired/mod.ts';
import { createDeviceService, createRegistry } from '#ingest/devices/mod.ts';
import { createUpkeepService, UpkeepConfig } from '#ingest/upkeep/mod.ts';
import { Coverage } from '#ingest/watching/mod.ts';
import { checkConfig, createMetrics, ManualClock, silentLog } from '#service/mod.ts';
import { CELL, EDGE, SITE } from '../api/fixture.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const FROM = NOW - 24 * HOUR;
/** An hour of the last day, counted from its beginning. */
const at = (hours: number) => FROM + hours * HOUR;

export const watchingSuite: Suite = (store) => {
  test('a unit grid is watched while a thing in it is online, its edge is heard, and nobody works on it', async () => {
    const clock = new ManualClock(NOW);
    const database = await openDatabase(await store.fresh(), clock);
    const registry = createRegistry([{ id: EDGE, site: SITE as never }]);
    const config = { edgeSilentS: 45, historyDays: 90, historyEntriesMax: 1_000_000 };
    const common = { database, clock, log: silentLog, metrics: createMetrics() };
    const devices = createDeviceService({ config, registry, ...common });
    const audit = createAudit(common);
    const desired = createDesiredService({ edges: [], audit, config: { notify: () => undefined }, ...common });
    const upkeep = createUpkeepService({
      ...{ config: checkConfig('test', UpkeepConfig, {}), edgeSilentMs: 45_000, edges: [] },
      ...{ registry, devices, desired, audit, ...common },
    });
    const say = (of: HealthRecord['of'], id: string, state: HealthRecord['state'], since: number) =>
      devices.accept([{ ts: since, edge: EDGE, of, id, state, reason: 'test', since }]);
    await say('edge', EDGE, 'online', at(-50));
    // On line since long ago, and gone for the fourth hour.
    await say('device', 'mh-1', 'online', at(-40));
    await say('device', 'mh-1', 'offline', at(3));
    await say('device', 'mh-1', 'online', at(4));
    // Half an hour of it overlaps that.
    await say('device', 'mh-2', 'online', at(3.5));
    await say('device', 'mh-2', 'degraded', at(5));
    await say('camera', 'cam-1', 'online', at(10));
    // A black picture is none.
    await say('camera', 'cam-1', 'degraded', at(12.25));
    await database.kysely
      .insertInto('health_history')
      .values([
        { edge: EDGE, kind: 'edge', id: EDGE, ts: at(20), state: 'offline', reason: 'silent' },
        { edge: EDGE, kind: 'edge', id: EDGE, ts: at(21), state: 'online', reason: 'heard-again' },
      ])
      .execute();
    const window = { id: 'w-1', reason: 'paint', by: 'olga', at: at(0), ended_by: null };
    await database.kysely
      .insertInto('maintenance_windows')
      .values({ ...window, subject_of: 'device', subject_id: 'mh-1', from_at: at(22), to_at: at(22.5) })
      .execute();

    const answer = await new Coverage({ database, registry, upkeep, clock }).lastDay();
    expect([answer.from, answer.to]).toEqual([FROM, NOW]);
    const cell = answer.cells.find((c) => c.code === CELL);
    expect([cell?.cameras, cell?.sensors]).toEqual([1, 2]);
    const usual = Array.from({ length: 24 }, () => 100);
    expect(cell?.sensor).toEqual(usual.with(3, 50).with(20, 0).with(22, 50));
    expect(cell?.camera).toEqual(usual.map((_, hour) => (hour === 10 || hour === 11 ? 100 : hour === 12 ? 25 : 0)));
    expect(cell?.either).toEqual(cell?.sensor);
    // A lamp that never spoke watches nothing; no camera stands there.
    expect(answer.cells.find((c) => c.code !== CELL)).toMatchObject({ sensors: 1, cameras: 0, camera: [] });
    expect(answer.cells.find((c) => c.code !== CELL)?.sensor).toEqual(usual.map(() => 0));
  });
};
