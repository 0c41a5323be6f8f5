import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '#cli/servers/mod.ts';
import { LampLoad } from './flow.ts';
import { Pinned } from './processes.ts';
import { lamps, writeEdgeFile } from './site.ts';
import type { BenchOptions } from './types.ts';
import { untilListening } from './until.ts';

const DEVICES = 5_000;
/** One message of each in five seconds, more than any real device sends. */
const PER_S = 1_000;
const SETTLE_MS = 10_000;

/** Memory of an edge with 5,000 connected devices that publish now and then, MiB. */
export async function measureCrowd({ dir: parent, short }: BenchOptions): Promise<{ devices: number; memoryMb: number }> {
  const dir = join(parent, 'crowd');
  await mkdir(dir, { recursive: true });
  const devices = short ? DEVICES / 5 : DEVICES;
  const port = await freePort();
  const file = await writeEdgeFile({ dir, devices: lamps(devices), brokerPort: port, centreBrokerPort: await freePort() });
  const edge = new Pinned({ args: ['edge', '--config', file], logFile: join(dir, 'edge.log') });
  const load = new LampLoad({ dir });
  try {
    await edge.start();
    await untilListening(port);
    await load.start({ port, devices, window: 10, ratePerS: PER_S });
    await pause(short ? SETTLE_MS / 5 : SETTLE_MS);
    return { devices, memoryMb: (await edge.memoryMb()).rss };
  } finally {
    await load.stop();
    await edge.stop();
  }
}
