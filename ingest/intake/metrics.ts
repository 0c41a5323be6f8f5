import { Counter, Gauge, Histogram, type Metrics } from '#service/mod.ts';

/** What becomes of frames and records, per lane. */
export interface IntakeMetrics {
  /** outcome: acked, unacked (bad frame without a readable header), failed (store), dropped (no room), duplicate (still waiting), foreign (topic) */
  frames: Counter<'lane' | 'outcome'>;
  /** outcome: stored, dead */
  records: Counter<'lane' | 'outcome'>;
  bytes: Counter<'lane'>;
  deadLetters: Counter<'lane' | 'code'>;
  queueBytes: Gauge<'lane'>;
  ackSeconds: Histogram<'lane'>;
  writeSeconds: Histogram<'lane'>;
}

const SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export function createIntakeMetrics(metrics: Metrics): IntakeMetrics {
  const registers = [metrics];
  const lane = ['lane'] as const;
  return {
    frames: new Counter({
      name: 'gewu_intake_frames_total',
      help: 'Frames by outcome',
      labelNames: ['lane', 'outcome'],
      registers,
    }),
    records: new Counter({
      name: 'gewu_intake_records_total',
      help: 'Records by outcome',
      labelNames: ['lane', 'outcome'],
      registers,
    }),
    bytes: new Counter({ name: 'gewu_intake_bytes_total', help: 'Bytes on the wire', labelNames: lane, registers }),
    deadLetters: new Counter({
      name: 'gewu_intake_dead_letters_total',
      help: 'Dead letters by code',
      labelNames: ['lane', 'code'],
      registers,
    }),
    queueBytes: new Gauge({
      name: 'gewu_intake_queue_bytes',
      help: 'Frames waiting or being stored',
      labelNames: lane,
      registers,
    }),
    ackSeconds: new Histogram({
      name: 'gewu_intake_ack_seconds',
      help: 'From arrival to ack',
      labelNames: lane,
      buckets: SECONDS,
      registers,
    }),
    writeSeconds: new Histogram({
      name: 'gewu_intake_write_seconds',
      help: 'Of one write to a store',
      labelNames: lane,
      buckets: SECONDS,
      registers,
    }),
  };
}
