import { expect, it } from 'vitest';
import { type ReplicaState, Replicas } from '#ingest/replicas/mod.ts';
import { ManualClock, silentLog } from '#service/mod.ts';
import { openDatabase, type Suite } from '../database/stores.ts';

const WELL: ReplicaState = { readingsPerS: 40, eventsPerS: 0.5, notReady: [] };
const HOUR_MS = 3_600_000;

/** Two replicas, as each tells of itself and of the other. */
export const listedSuite: Suite = ({ fresh }) => {
  it('every replica lists all of them, and tells one that was killed from one that ended', async () => {
    const clock = new ManualClock();
    const database = await openDatabase(await fresh(), clock);
    const replica = (name: string, state = WELL) =>
      new Replicas({ database, clock, log: silentLog, nameOf: () => name, state: async () => state });
    const [one, two] = [replica('a:1'), replica('b:1', { ...WELL, notReady: ['timeseries'] })];
    const startedAt = clock.now();
    await Promise.all([one.start(), two.start()]);
    await expect.poll(() => two.list()).toHaveLength(2);
    expect(await one.list()).toEqual([
      { name: 'a:1', here: true, running: true, startedAt, heardAt: startedAt, ...WELL },
      { name: 'b:1', here: false, running: true, startedAt, heardAt: startedAt, ...WELL, notReady: ['timeseries'] },
    ]);
    // The clock goes on, and neither has spoken.
    clock.advance(21_000);
    expect((await one.list()).map((r) => r.running)).toEqual([false, false]);
    await two.stop();
    expect((await one.list()).map((r) => r.name)).toEqual(['a:1']);
    // Started anew under its name it is the same one.
    const again = replica('a:1');
    await again.start();
    await expect
      .poll(async () => (await again.list()).map((r) => [r.running, r.startedAt]))
      .toEqual([[true, startedAt + 21_000]]);
    clock.advance(2 * HOUR_MS);
    expect(await again.list()).toEqual([]);
    await Promise.all([one.stop(), again.stop()]);
  });
};
