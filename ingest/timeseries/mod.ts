import type { TimeSeriesConfig } from './config.ts';
import { createInfluxdbStore } from './influxdb/mod.ts';
import { createSqliteStore } from './sqlite/mod.ts';
import type { TimeSeriesDeps, TimeSeriesStore } from './store.ts';

export * from './config.ts';
export * from './store.ts';

/** Every time-series store. To add one: a file in this folder, its configuration in `config.ts`, a line here. */
export const TIME_SERIES_STORES = [
  { store: 'sqlite', create: createSqliteStore },
  { store: 'influxdb', create: createInfluxdbStore },
] as const;

/** Builds the store that the configuration names; nothing is opened before `start`. */
export function createTimeSeriesStore(config: TimeSeriesConfig, deps: TimeSeriesDeps): TimeSeriesStore {
  switch (config.store) {
    case 'sqlite':
      return createSqliteStore(config, deps);
    case 'influxdb':
      return createInfluxdbStore(config, deps);
  }
}
