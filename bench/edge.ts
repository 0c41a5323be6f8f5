import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '#cli/servers/mod.ts';
import { measureCrowd } from './crowd.ts';
import type { LoadCommand, LoadCount } from './load/main.ts';
import { Pinned } from './processes.ts';
import { alternate, median, rounded } from './rounds.ts';
import { DEVICE_PASSWORD, LAMP_PREFIX, lamps, writeEdgeFile } from './site.ts';
import { type Bench, type BenchOptions, type BenchResult, missed } from './types.ts';
import { untilListening } from './until.ts';

const DEVICES = 500;
/** Messages without PUBACK of one device: it sends a sample and waits, as devices do. So a packet is a read and a write of the broker. */
const WINDOW = 1;
const WARM_UP_MS = 1_500;
const MEASURE_MS = 5_000;
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const RATIO_MIN = 0.7;

interface Measured {
  messagesPerS: number;
  cpuUsPerMessage: number;
}

/** QoS 1 messages a second, each durable before its PUBACK, against the same broker whose PUBACK waits for nothing. */
export const edgeBench: Bench = {
  name: 'edge',
  summary: 'QoS 1 messages/s that are durable before PUBACK, against the bare broker',
  async run(options) {
    const { edge, bare } = (await alternate(
      { bare: () => measure(options, bareBroker), edge: () => measure(options, edgeNode) },
      options,
    )) as { edge: Measured[]; bare: Measured[] };
    return resultOf(edge, bare, await measureCrowd(options));
  },
};

function resultOf(
  edge: readonly Measured[],
  bare: readonly Measured[],
  crowd: { devices: number; memoryMb: number },
): BenchResult {
  const messagesPerS = median(edge.map((m) => m.messagesPerS));
  const bareBrokerPerS = median(bare.map((m) => m.messagesPerS));
  const ratio = median(edge.map((m, i) => m.messagesPerS / (bare[i]?.messagesPerS ?? Number.NaN)));
  return {
    figures: {
      messagesPerS: Math.round(messagesPerS),
      bareBrokerPerS: Math.round(bareBrokerPerS),
      ratio: rounded(ratio),
      cpuUsPerMessage: rounded(median(edge.map((m) => m.cpuUsPerMessage))),
      bareCpuUsPerMessage: rounded(median(bare.map((m) => m.cpuUsPerMessage))),
      connectedDevices: crowd.devices,
      memoryMb: crowd.memoryMb,
    },
    missed: missed({ [`ratio below ${RATIO_MIN}`]: ratio >= RATIO_MIN }),
  };
}

type Server = (dir: string, port: number) => Promise<Pinned>;

const bareBroker: Server = async (dir, port) =>
  new Pinned({
    module: join(import.meta.dirname, 'bare_broker.ts'),
    args: [String(port)],
    core: SERVER_CORE,
    logFile: join(dir, 'bare.log'),
  });

/** A whole edge node: parsing, validation and rules on. No centre listens, so that all of its time is the devices'. */
const edgeNode: Server = async (dir, port) => {
  const file = await writeEdgeFile({ dir, devices: lamps(DEVICES), brokerPort: port, centreBrokerPort: await freePort() });
  return new Pinned({ args: ['edge', '--config', file], core: SERVER_CORE, logFile: join(dir, 'edge.log') });
};

async function measure({ dir: parent, short }: BenchOptions, build: Server): Promise<Measured> {
  const dir = join(parent, 'edge-bench');
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const server = await build(dir, port);
  const load = new Pinned({
    module: join(import.meta.dirname, 'load/main.ts'),
    args: [],
    core: LOAD_CORE,
    logFile: join(dir, 'load.log'),
  });
  try {
    await server.start();
    await untilListening(port);
    await load.start();
    const tell = async (command: LoadCommand): Promise<LoadCount> => {
      load.send(command);
      return load.message<LoadCount>();
    };
    const common = { prefix: LAMP_PREFIX, password: DEVICE_PASSWORD, window: WINDOW };
    await tell({ do: 'connect', options: { port, devices: DEVICES, ...common } });
    await tell({ do: 'start' });
    await pause(short ? WARM_UP_MS / 3 : WARM_UP_MS);
    const before = { at: performance.now(), cpu: await server.cpuUs(), acked: (await tell({ do: 'count' })).acked };
    await pause(short ? MEASURE_MS / 5 : MEASURE_MS);
    const { acked } = await tell({ do: 'count' });
    const messages = acked - before.acked;
    return {
      messagesPerS: (messages * 1000) / (performance.now() - before.at),
      cpuUsPerMessage: ((await server.cpuUs()) - before.cpu) / messages,
    };
  } finally {
    await load.stop('SIGKILL');
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
