import { LANES } from '#grid/wire/mod.ts';
import { Counter, Gauge, type Metrics } from '#service/mod.ts';

/** What the uplink is doing, read when somebody asks. */
export interface UplinkState {
  readonly connected: boolean;
  readonly flight: { bytes: number; windowFrames: number };
}

export interface UplinkMetrics {
  acked: Counter<'lane'>;
  records: Counter<'lane'>;
  resent: Counter;
}

export function createUplinkMetrics(metrics: Metrics, state: UplinkState): UplinkMetrics {
  const registers = [metrics];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('gewu_uplink_connected', '1 while the centre is connected', () => (state.connected ? 1 : 0));
  gauge('gewu_uplink_window_frames', 'Frames of readings that may be on their way', () => state.flight.windowFrames);
  gauge('gewu_uplink_flight_bytes', 'Frames in memory: on their way, or to be sent again', () => state.flight.bytes);
  const records = new Counter({
    name: 'gewu_uplink_acked_records_total',
    help: 'Records of which the centre said that it has them, or has put them aside',
    labelNames: ['lane'],
    registers,
  });
  // What was never counted is nought, not missing.
  for (const lane of LANES) records.inc({ lane }, 0);
  return {
    acked: new Counter({
      name: 'gewu_uplink_acked_frames_total',
      help: 'Frames that the centre acknowledged',
      labelNames: ['lane'],
      registers,
    }),
    records,
    resent: new Counter({ name: 'gewu_uplink_resent_frames_total', help: 'Frames sent again', registers }),
  };
}
