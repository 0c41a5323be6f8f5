import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { familyCpuUs, Pinned } from '../processes.ts';
import { alternate, median, rounded } from '../rounds.ts';
import { type Bench, type BenchOptions, missed } from '../types.ts';
import { until } from '../until.ts';
import type { EdgeCount } from './edge.ts';
import type { VisionLoad } from './site.ts';

const CAMERAS = 8;
const FPS = 2;
/** Until the compiler of the runtime has done its work: it is the cost of a start, not of a camera. */
const WARM_UP_MS = 15_000;
const MEASURE_MS = 20_000;
const START_MS_MAX = 120_000;
const EDGE_CORE = 0;
const CAMERA_CORE = 1;
const RATIO_MAX = 1.15;
const DROPPED_MAX = 0.02;
const module = (name: string): string => join(import.meta.dirname, `${name}.ts`);

interface Measured {
  /** CPU seconds of one camera in a second. */
  cpuPerCamera: number;
  analysedFps: number;
  droppedFrames: number;
  detectMsP99: number;
}

/** Apart, so that a machine that is late with one of them does not make the other look cheap. */
interface Floor {
  decodeCpuPerCamera: number;
  cpuPerRun: number;
}

/** What a camera costs, from its stream to its events, against the decoding and the model alone. */
export const visionBench: Bench = {
  name: 'vision',
  summary: 'CPU of a camera on one core (--cameras, --fps), against the same decoding and inference alone',
  async run(options) {
    const load = { cameras: options.cameras ?? (options.short ? 2 : CAMERAS), fps: options.fps ?? FPS };
    const cameras = new Pinned({
      module: module('cameras'),
      args: [String(load.cameras)],
      core: CAMERA_CORE,
      logFile: join(options.dir, 'cameras.log'),
    });
    await cameras.start();
    try {
      const { port } = await cameras.message<{ port: number }>();
      const sides = {
        floor: () => measureFloor({ ...load, port }, options),
        edge: () => measureEdge({ ...load, port }, options),
      };
      const { edge, floor } = (await alternate<Measured | Floor>(sides, options)) as { edge: Measured[]; floor: Floor[] };
      return resultOf(load, edge, floor);
    } finally {
      await cameras.stop();
    }
  },
};

function resultOf({ cameras, fps }: { cameras: number; fps: number }, edge: readonly Measured[], floor: readonly Floor[]) {
  const of = (list: readonly Measured[], name: keyof Measured): number => median(list.map((m) => m[name]));
  // As many runs of the model as the edge made of it.
  const floors = floor.map((f, i) => f.decodeCpuPerCamera + f.cpuPerRun * (edge[i]?.analysedFps ?? Number.NaN));
  const ratio = median(edge.map((m, i) => m.cpuPerCamera / (floors[i] ?? Number.NaN)));
  const asked = (cameras * fps * MEASURE_MS) / 1000;
  const droppedFrames = of(edge, 'droppedFrames');
  return {
    figures: {
      cameras,
      analysedFps: rounded(of(edge, 'analysedFps')),
      cpuPerCamera: rounded(of(edge, 'cpuPerCamera')),
      floorCpuPerCamera: rounded(median(floors)),
      ratio: rounded(ratio),
      droppedFrames,
      detectMsP99: rounded(of(edge, 'detectMsP99')),
    },
    missed: missed({
      [`ratio above ${RATIO_MAX}`]: ratio <= RATIO_MAX,
      [`more than ${100 * DROPPED_MAX} % of ${asked} frames dropped`]: droppedFrames <= DROPPED_MAX * asked,
    }),
  };
}

async function measureEdge(load: VisionLoad, { dir, short }: BenchOptions): Promise<Measured> {
  const args = [JSON.stringify(load), join(dir, 'vision-data')];
  const edge = new Pinned({ module: module('edge'), args, core: EDGE_CORE, logFile: join(dir, 'vision-edge.log') });
  const count = async (): Promise<EdgeCount> => {
    edge.send({});
    return edge.message<EdgeCount>();
  };
  try {
    await edge.start();
    await edge.message();
    await until('every camera online', async () => (await count()).online === load.cameras, {
      msMax: START_MS_MAX,
      everyMs: 200,
    });
    await pause(short ? 0 : WARM_UP_MS);
    const before = { ...(await count()), cpuUs: await familyCpuUs(edge.pid), atMs: performance.now() };
    await pause(short ? MEASURE_MS / 10 : MEASURE_MS);
    const after = { ...(await count()), cpuUs: await familyCpuUs(edge.pid), atMs: performance.now() };
    const s = (after.atMs - before.atMs) / 1000;
    const analysed = after.analysed - before.analysed;
    return {
      cpuPerCamera: (after.cpuUs - before.cpuUs) / 1e6 / s / load.cameras,
      analysedFps: analysed / s / load.cameras,
      droppedFrames: Math.max(0, Math.round(load.cameras * load.fps * s) - analysed),
      detectMsP99: 1000 * histogramQuantile(before.detect, after.detect, 0.99),
    };
  } finally {
    await edge.stop();
  }
}

async function measureFloor(load: VisionLoad, { dir, short }: BenchOptions): Promise<Floor> {
  const args = [JSON.stringify(load)];
  const floor = new Pinned({ module: module('floor'), args, core: EDGE_CORE, logFile: join(dir, 'vision-floor.log') });
  const reading = async () => {
    floor.send({});
    const { runs } = await floor.message<{ runs: number }>();
    return { runs, ownUs: await floor.cpuUs(), allUs: await familyCpuUs(floor.pid), atMs: performance.now() };
  };
  try {
    await floor.start();
    await floor.message();
    await pause(short ? 1000 : WARM_UP_MS);
    const before = await reading();
    await pause(short ? MEASURE_MS / 10 : MEASURE_MS);
    const after = await reading();
    const ownUs = after.ownUs - before.ownUs;
    const s = (after.atMs - before.atMs) / 1000;
    return {
      decodeCpuPerCamera: (after.allUs - before.allUs - ownUs) / 1e6 / s / load.cameras,
      cpuPerRun: ownUs / 1e6 / Math.max(1, after.runs - before.runs),
    };
  } finally {
    await floor.stop();
  }
}

/** Seconds below which the share `q` of what came between two readings of a histogram lies, on a straight line within a bucket. */
export function histogramQuantile(before: readonly [number, number][], after: readonly [number, number][], q: number): number {
  const counts = after.map(([le, count], i): [number, number] => [le, count - (before[i]?.[1] ?? 0)]);
  const wanted = q * (counts.at(-1)?.[1] ?? 0);
  let [lower, below] = [0, 0];
  for (const [le, count] of counts) {
    if (count >= wanted && count > below) return lower + ((le - lower) * (wanted - below)) / (count - below);
    [lower, below] = [le, count];
  }
  return lower;
}
