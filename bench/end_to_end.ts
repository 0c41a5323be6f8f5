import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LampLoad, startFlow } from './flow.ts';
import { lamps } from './site.ts';
import type { BenchOptions } from './types.ts';

const LAMPS = 500;
const PER_S = 5_000;
const WARM_UP_MS = 4_000;
const MEASURE_MS = 15_000;

export interface EndToEnd {
  /** Of edge and centre together, a message with one sample each. */
  cpuUsPerReading: number;
  edgeCpuUsPerReading: number;
  centreCpuUsPerReading: number;
  readingsPerS: number;
}

/** The whole way, device publish to stored: what edge and centre spend on a reading at 5,000 a second. */
export async function measureEndToEnd({ dir: parent, short }: BenchOptions): Promise<EndToEnd> {
  const dir = join(parent, 'end-to-end');
  const flow = await startFlow({ dir, devices: lamps(LAMPS), servers: true });
  const load = new LampLoad({ dir });
  try {
    await flow.startEdge();
    await load.start({ port: flow.brokerPort, devices: LAMPS, window: 100, ratePerS: PER_S });
    await pause(WARM_UP_MS);
    const spent = async () => ({
      at: performance.now(),
      edge: await flow.edge.cpuUs(),
      centre: await flow.centre.cpuUs(),
      acked: (await load.tell({ do: 'count' })).acked,
    });
    const before = await spent();
    await pause(short ? MEASURE_MS / 5 : MEASURE_MS);
    const after = await spent();
    const readings = after.acked - before.acked;
    const [edge, centre] = [(after.edge - before.edge) / readings, (after.centre - before.centre) / readings];
    return {
      cpuUsPerReading: edge + centre,
      edgeCpuUsPerReading: edge,
      centreCpuUsPerReading: centre,
      readingsPerS: (readings * 1000) / (after.at - before.at),
    };
  } finally {
    await load.stop();
    await flow.stop();
  }
}
