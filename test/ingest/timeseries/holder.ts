/** Opens a store, writes one reading, and dies by SIGKILL: what a test cannot do to itself. */
import { Registry } from 'prom-client';
import { createTimeSeriesStore } from '#ingest/timeseries/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { line, writeLines } from './line.ts';

const config = {
  store: 'sqlite' as const,
  file: process.argv[2] as string,
  retention: { rawDays: 30, minuteDays: 365, hourDays: 3650 },
};
const store = createTimeSeriesStore(config, { clock: systemClock, log: silentLog, metrics: new Registry() });
try {
  await store.start();
} catch (error) {
  process.stderr.write(`${(error as { code?: string }).code}\n`);
  process.exit(1);
}
await writeLines(store, [line('held-1', Date.now() - 1000, { a: 1 })]);
process.kill(process.pid, 'SIGKILL');
