import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '#cli/servers/mod.ts';
import { loadScenario, type Scenario, shippedScenario } from '#simulators/scenarios/mod.ts';
import { Pinned } from '../processes.ts';
import { median, rounded } from '../rounds.ts';
import { type Bench, type BenchOptions, missed } from '../types.ts';
import { untilListening } from '../until.ts';
import { measureCameras } from './cameras.ts';
import type { GeneratorResult, GeneratorTask } from './generator.ts';
import { planOf } from './plan.ts';

const SINK_CORE = 0;
const GENERATOR_CORE = 1;
const LOAD_S = 10;
/** What is wanted: docs/simulators.md. */
const DEVICE_MSG_PER_S = 20_000;
const EDGE_READINGS_PER_S = 50_000;
const CONNECTIONS = 15_000;
/** What every run of a shipped scenario is held to. */
const LAG_P99_MS_MAX = 250;
const CORES_OF_CAMERAS = 1;
const SEEN_SHARE = 0.95;

interface Part {
  as: Scenario['as'];
  edges: number;
  devices: number;
  perS: number;
}

/** The generator against a target that costs nothing: it must not be the bottleneck of any run. */
export const simulatorsBench: Bench = {
  name: 'simulators',
  summary: 'what one core of the load generator can play: devices, edges, connections',
  async run(options) {
    const scale = options.short ? 10 : 1;
    const rounds = Array.from({ length: options.rounds });
    const play = async (part: Part) => {
      const results: GeneratorResult[] = [];
      for (const _ of rounds) {
        results.push(await measure(options, { ...part, devices: part.devices / scale, perS: part.perS / scale }));
        options.say(`${part.as}, ${part.devices / scale} devices: ${JSON.stringify(results.at(-1))}`);
      }
      return results;
    };
    const devices = await play({ as: 'devices', edges: 1, devices: 2_000, perS: DEVICE_MSG_PER_S });
    const edges = await play({ as: 'edges', edges: 100, devices: 10_000, perS: EDGE_READINGS_PER_S });
    const many = await play({ as: 'devices', edges: 1, devices: CONNECTIONS, perS: 1_000 });
    const perCpuS = (results: readonly GeneratorResult[]) => median(results.map((r) => r.acked / r.cpuS));
    const perWallS = (results: readonly GeneratorResult[]) => Math.round(median(results.map((r) => r.acked / r.loadS)));
    const [deviceMsgPerS, edgeReadingsPerS] = [perCpuS(devices), perCpuS(edges)];
    const cameras = await measureCameras(options);
    options.say(`cameras: ${JSON.stringify(cameras)}`);
    // The later of the two. Lag is kept in whole ms: nought is below one.
    const lagP99Ms = Math.max(1, ...[devices, edges].map((results) => median(results.map((r) => r.lagP99Ms))));
    const connections = Math.min(...many.map((r) => r.connected));
    return {
      figures: {
        deviceMsgPerS: Math.round(deviceMsgPerS),
        edgeReadingsPerS: Math.round(edgeReadingsPerS),
        connections,
        memoryKbPerConnection: rounded(median(many.map((r) => r.memoryKbPerConnection))),
        scheduleLagP99Ms: lagP99Ms,
        // Of the same runs, by the clock: they are asked for no more than is wanted, and neighbours slow them down.
        deviceMsgPerWallS: perWallS(devices),
        edgeReadingsPerWallS: perWallS(edges),
        cameras: cameras.cameras,
        cameraCpuSPerS: rounded(cameras.cpuSPerS),
        camerasSeenShare: rounded(cameras.seenShare),
      },
      missed: missed({
        [`below ${DEVICE_MSG_PER_S} device messages a CPU second`]: deviceMsgPerS >= DEVICE_MSG_PER_S,
        [`below ${EDGE_READINGS_PER_S} readings a CPU second as edges`]: edgeReadingsPerS >= EDGE_READINGS_PER_S,
        [`below ${CONNECTIONS / scale} connections`]: connections >= CONNECTIONS / scale,
        [`the schedule is later than ${LAG_P99_MS_MAX} ms at p99`]: lagP99Ms <= LAG_P99_MS_MAX,
        [`${cameras.cameras} cameras take more than a core`]: cameras.cpuSPerS < CORES_OF_CAMERAS,
        'pictures of cameras are missing': cameras.seenShare >= SEEN_SHARE,
      }),
    };
  },
};

async function measure({ dir: parent, short }: BenchOptions, { as, edges, devices, perS }: Part): Promise<GeneratorResult> {
  const dir = join(parent, 'simulators-bench');
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const sink = new Pinned({
    module: join(import.meta.dirname, 'sink.ts'),
    args: [String(port)],
    core: SINK_CORE,
    logFile: join(dir, 'sink.log'),
  });
  const generator = new Pinned({
    module: join(import.meta.dirname, 'generator.ts'),
    args: [],
    core: GENERATOR_CORE,
    logFile: join(dir, 'generator.log'),
  });
  try {
    await sink.start();
    await untilListening(port);
    await generator.start();
    generator.send(await taskOf({ as, edges, devices, perS }, port, short ? LOAD_S / 5 : LOAD_S));
    return await generator.message<GeneratorResult>();
  } finally {
    await generator.stop('SIGKILL');
    await sink.stop('SIGKILL');
  }
}

async function taskOf({ as, edges, devices, perS }: Part, port: number, forS: number): Promise<GeneratorTask> {
  const shipped = await loadScenario(shippedScenario('quiet-day'));
  const perDevicePerMin = (60 * perS) / devices;
  // As many communities as edges, and some more.
  const plan = planOf({ cells: Math.max(100, edges * 16), edges, sensors: devices, cameras: 0 }, port);
  const scenario = { ...shipped, as, incidents: [], stages: [{ kind: 'steady' as const, forS, perDevicePerMin }] };
  return { plan, scenario, holdMs: 0 };
}
