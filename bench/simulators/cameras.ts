import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadScenario, shippedScenario } from '#simulators/scenarios/mod.ts';
import { Pinned } from '../processes.ts';
import type { BenchOptions } from '../types.ts';
import { planOf } from './plan.ts';
import type { PlayerResult, PlayerTask } from './player.ts';
import type { ViewerTask } from './viewer.ts';

const VIEWER_CORE = 0;
const PLAYER_CORE = 1;
/** Streams of 640 x 360, two pictures a second each. */
const CAMERAS = 48;
const FPS = 2;
const FOR_S = 20;

export interface CameraFigures {
  cameras: number;
  /** CPU seconds a second of the one process that plays all of them. */
  cpuSPerS: number;
  /** Of the pictures that were due, those that came whole. */
  seenShare: number;
}

/** Tens of cameras on one core: what it costs to play them, drawing apart, which is before a run. */
export async function measureCameras({ dir: parent, short }: BenchOptions): Promise<CameraFigures> {
  const dir = join(parent, 'simulators-bench');
  await mkdir(dir, { recursive: true });
  const process = (name: string, core: number) =>
    new Pinned({ module: join(import.meta.dirname, `${name}.ts`), args: [], core, logFile: join(dir, `${name}.log`) });
  const [player, viewer] = [process('player', PLAYER_CORE), process('viewer', VIEWER_CORE)];
  const [cameras, forS] = short ? [CAMERAS / 4, FOR_S / 5] : [CAMERAS, FOR_S];
  try {
    await player.start();
    await viewer.start();
    const scenario = await loadScenario(shippedScenario('rain-storm'));
    const task: PlayerTask = { plan: planOf({ cells: 48, edges: 1, sensors: 480, cameras: 1 }), scenario, cameras, forS };
    player.send(task);
    const { port } = await player.message<{ port: number }>();
    viewer.send({ port, cameras } satisfies ViewerTask);
    await viewer.message();
    viewer.send({});
    await viewer.message();
    player.send({});
    const { cpuS, loadS } = await player.message<PlayerResult>();
    viewer.send({});
    const { pictures } = await viewer.message<{ pictures: number }>();
    return { cameras, cpuSPerS: cpuS / loadS, seenShare: pictures / (cameras * FPS * loadS) };
  } finally {
    await viewer.stop('SIGKILL');
    await player.stop('SIGKILL');
  }
}
