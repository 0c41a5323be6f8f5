import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createMetrics, silentLog } from '#service/mod.ts';
import { Outbox, type OutboxOptions } from '../../edge/outbox/mod.ts';

/** A started outbox in `dir`, without bounds that a test could reach; it stops when the test ends. */
export async function openOutbox(dir: string, options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  const outbox = new Outbox({
    file: join(dir, 'o.db'),
    quotaBytes: 1e9,
    ageMsMax: 1e12,
    log: silentLog,
    metrics: createMetrics(),
    ...options,
  });
  await outbox.start();
  onTestFinished(() => outbox.stop());
  return outbox;
}
