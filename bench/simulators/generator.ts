import { setTimeout as pause } from 'node:timers/promises';
import type { CityPlan } from '#simulators/city/mod.ts';
import { LoadRun, targetOfPlan } from '#simulators/load/mod.ts';
import { Histogram } from '#simulators/report/mod.ts';
import type { Scenario } from '#simulators/scenarios/mod.ts';

/** The generator, a process of its own on one core: told what to play, and says what it cost. */
export interface GeneratorTask {
  plan: CityPlan;
  scenario: Scenario;
  /** All connections stay open for so long before the load begins, to be counted. */
  holdMs: number;
}
export interface GeneratorResult {
  acked: number;
  loadS: number;
  /** User and system time of this process during the load, seconds. */
  cpuS: number;
  connected: number;
  memoryKbPerConnection: number;
  lagP99Ms: number;
}

const CONNECT_PER_S = 4_000;

process.on('message', async ({ plan, scenario, holdMs }: GeneratorTask) => {
  try {
    const run = new LoadRun({
      target: targetOfPlan(plan),
      scenario,
      seed: 1,
      part: { number: 1, of: 1 },
      connectPerS: CONNECT_PER_S,
    });
    const before = process.memoryUsage.rss();
    let cpu = process.cpuUsage();
    let [connected, rss, startedMs] = [0, before, 0];
    const done = run.run(() => {
      connected = run.carried.connected;
      rss = process.memoryUsage.rss();
      cpu = process.cpuUsage();
      startedMs = performance.now();
    });
    while (run.phase === 'connecting' || run.phase === 'load') await pause(20);
    const { user, system } = process.cpuUsage(cpu);
    const loadS = (performance.now() - startedMs) / 1000;
    await pause(holdMs);
    await done;
    const result: GeneratorResult = {
      acked: run.tally.acked,
      loadS,
      cpuS: (user + system) / 1e6,
      connected,
      memoryKbPerConnection: (rss - before) / 1024 / Math.max(1, connected),
      lagP99Ms: Histogram.of(run.tally.lag.counts).percentile(0.99) ?? Number.NaN,
    };
    process.send?.(result);
  } catch (error) {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  }
});
process.on('disconnect', () => process.exit());
