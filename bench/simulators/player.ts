import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { createLog, systemClock } from '#service/mod.ts';
import { createStreetRenderer, ReelCamera, RtspServer, recordReel } from '#simulators/cameras/mod.ts';
import { LoadRun, targetOfPlan } from '#simulators/load/mod.ts';
import { CREDENTIALS, mountOf } from './credentials.ts';
import type { GeneratorTask } from './generator.ts';

/** Cameras of a run, a process of their own on one core: one view of a storm, coded once, played by all of them. */
export interface PlayerTask extends Pick<GeneratorTask, 'plan' | 'scenario'> {
  cameras: number;
  /** All of them are watched for so long. */
  forS: number;
}
export interface PlayerResult {
  /** User and system time of this process while they were watched, and the time that passed, seconds. */
  cpuS: number;
  loadS: number;
}

const FPS = 2;
const REEL_S = 12;
const PHASE_MS = 137;

process.once('message', async ({ plan, scenario, cameras, forS }: PlayerTask) => {
  const deps = { log: createLog('cameras'), clock: systemClock };
  const run = new LoadRun({ target: targetOfPlan(plan), scenario, durationS: REEL_S, seed: 1, part: { number: 1, of: 1 } });
  const [view] = run.staged.cameras.views;
  if (view === undefined) throw new Error('the city has no camera');
  const { lead, actors, lightAt } = view;
  const { street, pose } = lead;
  const renderer = createStreetRenderer(street, pose);
  const reel = await recordReel({ renderer, street, pose, actors, lightAt, fps: FPS, durationMs: REEL_S * 1000 }, deps);
  const server = new RtspServer({ config: { port: 0, connectionsMax: 2 * cameras }, ...deps });
  await server.start();
  for (let n = 0; n < cameras; n++) {
    const config = { mount: mountOf(n), credentials: CREDENTIALS, phaseMs: n * PHASE_MS, seed: n };
    const camera = new ReelCamera({ config, reel, spoilt: new Map(), server, clock: systemClock });
    await camera.start();
    camera.begin();
  }
  process.send?.({ port: server.port });
  await once(process, 'message');
  const [cpu, startedMs] = [process.cpuUsage(), performance.now()];
  await pause(forS * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const result: PlayerResult = { cpuS: (user + system) / 1e6, loadS: (performance.now() - startedMs) / 1000 };
  process.send?.(result);
});
process.on('disconnect', () => process.exit());
