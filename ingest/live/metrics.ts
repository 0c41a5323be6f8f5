import { Counter, type Metrics } from '#service/mod.ts';

/** What live views count; gauges are where the viewers are. */
export function createLiveCounters(metrics: Metrics) {
  const registers = [metrics];
  return {
    bytes: new Counter({
      name: 'gewu_live_bytes_total',
      help: 'Bytes of live views, from edges (in) and to viewers (out)',
      labelNames: ['direction'],
      registers,
    }),
    dropped: new Counter({
      name: 'gewu_live_dropped_total',
      help: 'Pictures and fragments that a slow viewer did not get',
      labelNames: ['view'],
      registers,
    }),
    refused: new Counter({
      name: 'gewu_live_refused_total',
      help: 'Views that were not opened or were ended, by error code',
      labelNames: ['code'],
      registers,
    }),
  };
}
export type LiveCounters = ReturnType<typeof createLiveCounters>;
