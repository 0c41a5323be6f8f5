import { setTimeout as pause } from 'node:timers/promises';
import { LoadDevice } from './device.ts';

/** The load, a process of its own: told by its parent what to do, and to count. */
export interface LoadOptions {
  port: number;
  /** Ids and passwords are `PREFIX0001` and `password`. */
  devices: number;
  prefix: string;
  password: string;
  window: number;
  /** Of all devices together. */
  ratePerS?: number;
  firstSeq?: number;
}
export type LoadCommand = { do: 'connect'; options: LoadOptions } | { do: 'start' | 'count' | 'pause' | 'close' };
export interface LoadCount {
  acked: number;
  pending: number;
}

export const deviceId = (prefix: string, i: number) => `${prefix}${String(i).padStart(4, '0')}`;

let devices: LoadDevice[] = [];

/** So many connect at a time, and no more than 800 a second: below what a broker takes for a flood. */
const CONNECTING_MAX = 50;
const GROUP_MS = 63;

async function connectAll({ devices: count, prefix, ratePerS, ...common }: LoadOptions): Promise<void> {
  devices = Array.from({ length: count }, (_, i) => {
    const each = ratePerS === undefined ? {} : { ratePerS: ratePerS / count };
    return new LoadDevice({ ...common, ...each, id: deviceId(prefix, i), fields: (seq) => lampFields(seq + i) });
  });
  for (let i = 0; i < devices.length; i += CONNECTING_MAX)
    await Promise.all([...devices.slice(i, i + CONNECTING_MAX).map((d) => d.connect()), pause(GROUP_MS)]);
}

/** A street lamp by night: what it says, with `ts` and `seq`, makes a reading of about 140 bytes. */
export function lampFields(n: number): Record<string, number | boolean> {
  return { lux: n % 30, voltage_v: 220 + (n % 50) / 10, current_a: 0.4 + (n % 10) / 100, power_w: 88 + (n % 30) / 10 };
}

const count = (): LoadCount => ({
  acked: devices.reduce((sum, d) => sum + d.acked, 0),
  pending: devices.reduce((sum, d) => sum + d.pending, 0),
});

process.on('message', async (command: LoadCommand) => {
  try {
    if (command.do === 'connect') await connectAll(command.options);
    else if (command.do === 'start') for (const d of devices) d.start();
    else if (command.do === 'pause') for (const d of devices) d.pause();
    else if (command.do === 'close') for (const d of devices) d.close();
    process.send?.(count());
  } catch (error) {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  }
});
process.on('disconnect', () => process.exit());
