import { Counter, Gauge, type Metrics } from '#service/mod.ts';

export function createLiveCounters(metrics: Metrics, streams: () => number) {
  const registers = [metrics];
  new Gauge({
    name: 'gewu_edge_live_streams',
    help: 'Live views that are being sent',
    registers,
    collect() {
      this.set(streams());
    },
  });
  return {
    bytes: new Counter({ name: 'gewu_edge_live_bytes_total', help: 'Bytes of live views', labelNames: ['view'], registers }),
    dropped: new Counter({
      name: 'gewu_edge_live_dropped_total',
      help: 'Pictures and fragments of live views that the line or the limit did not take',
      labelNames: ['view'],
      registers,
    }),
  };
}
export type LiveCounters = ReturnType<typeof createLiveCounters>;
