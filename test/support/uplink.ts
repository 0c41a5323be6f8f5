import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { Outbox } from '#edge/mod.ts';
import { Uplink } from '#edge/uplink/mod.ts';
import type { Lane } from '#grid/wire/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { tempDir } from './temp.ts';

/** An outbox on disk and an uplink of its own, without the rest of an edge node. */
export interface BareUplink {
  outbox: Outbox;
  uplink: Uplink;
  /** What it told its log. */
  told: { code?: string; error?: string; level: number }[];
  /** Numbered records; gives their bodies. */
  put(lane: Lane, count: number): Promise<string[]>;
  /** Records that wait. */
  waiting(): number;
}

export async function bareUplink({ url, password = 'edge-password' }: { url: string; password?: string }): Promise<BareUplink> {
  const file = join(await tempDir(), 'outbox.db');
  const outbox = new Outbox({ file, quotaBytes: 1e9, ageMsMax: 1e12, log: silentLog, metrics: createMetrics() });
  await outbox.start();
  onTestFinished(() => outbox.stop());
  const told: BareUplink['told'] = [];
  const log = pino({ base: null }, { write: (line: string) => told.push(JSON.parse(line)) });
  const options = { edge: 'edge-01', url, password, outbox, clock: systemClock, log };
  const uplink = new Uplink({ ...options, commands: { receive: () => undefined }, metrics: createMetrics() });
  onTestFinished(() => uplink.stop());
  let n = 0;
  return {
    outbox,
    uplink,
    told,
    async put(lane, count) {
      const bodies = Array.from({ length: count }, () => `${lane}-${++n}`);
      await outbox.append(
        lane,
        bodies.map((body) => Buffer.from(body)),
      );
      return bodies;
    },
    waiting: () => Object.values(outbox.stats).reduce((sum, { records }) => sum + records, 0),
  };
}
