import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { startMosquitto } from '#cli/servers/mod.ts';
import { LampLoad, startFlow } from './flow.ts';
import { cpuUs } from './processes.ts';
import { lamps } from './site.ts';
import type { BenchOptions } from './types.ts';

const WARM_UP_MS = 4_000;
const MEASURE_MS = 12_000;
const WINDOW = 100;

/** What a message costs depends on how many come in one packet: a broker reads and answers by the packet. */
export interface EndToEndLoad {
  connections: number;
  /** Messages of one sample each, of all connections together. */
  perS: number;
}
/** Gateways that speak for many devices. */
export const GATEWAYS: EndToEndLoad = { connections: 10, perS: 20_000 };
/** Devices with a connection of their own: a packet a message. */
export const DEVICES: EndToEndLoad = { connections: 500, perS: 5_000 };

export interface EndToEnd {
  /** Of edge and centre together, a message with one sample each. */
  cpuUsPerReading: number;
  edgeCpuUsPerReading: number;
  centreCpuUsPerReading: number;
  readingsPerS: number;
}

/** The whole way, device publish to stored: what edge and centre spend on a reading. */
export async function measureEndToEnd({ dir: parent, short }: BenchOptions, load: EndToEndLoad): Promise<EndToEnd> {
  const dir = join(parent, 'end-to-end');
  // In short the servers would take longer to start than the load lasts.
  const flow = await startFlow({ dir, devices: lamps(load.connections), servers: !short });
  try {
    await flow.startEdge();
    const { perS, of } = await underLoad({ dir, port: flow.brokerPort, load, short }, [flow.edge.pid, flow.centre.pid]);
    const [edge = Number.NaN, centre = Number.NaN] = of;
    return { cpuUsPerReading: edge + centre, edgeCpuUsPerReading: edge, centreCpuUsPerReading: centre, readingsPerS: perS };
  } finally {
    await flow.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** The yardstick: what Mosquitto alone spends on the same messages, with one subscriber at QoS 1. */
export async function measureMosquitto({ dir: parent, short }: BenchOptions, load: EndToEndLoad): Promise<number> {
  const dir = join(parent, 'mosquitto-bench');
  await mkdir(dir, { recursive: true });
  const server = await startMosquitto({ dir });
  const subscriber = await connectAsync(server.url);
  try {
    await subscriber.subscribeAsync('devices/#', { qos: 1 });
    const { of } = await underLoad({ dir, port: server.port, load, short }, [server.pid]);
    return of[0] ?? Number.NaN;
  } finally {
    await subscriber.endAsync(true);
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

interface Under {
  dir: string;
  port: number;
  load: EndToEndLoad;
  short: boolean;
}

/** CPU a message of each process, µs, over the time after the warm-up. */
async function underLoad({ dir, port, load, short }: Under, pids: readonly number[]): Promise<{ perS: number; of: number[] }> {
  const lampLoad = new LampLoad({ dir });
  try {
    await lampLoad.start({ port, devices: load.connections, window: WINDOW, ratePerS: load.perS });
    await pause(short ? WARM_UP_MS / 8 : WARM_UP_MS);
    const spent = async () => ({
      at: performance.now(),
      cpu: await Promise.all(pids.map((pid) => cpuUs(pid))),
      acked: (await lampLoad.tell({ do: 'count' })).acked,
    });
    const before = await spent();
    await pause(short ? MEASURE_MS / 8 : MEASURE_MS);
    const after = await spent();
    const messages = after.acked - before.acked;
    return {
      perS: (messages * 1000) / (after.at - before.at),
      of: after.cpu.map((us, i) => (us - (before.cpu[i] ?? Number.NaN)) / messages),
    };
  } finally {
    await lampLoad.stop();
  }
}
