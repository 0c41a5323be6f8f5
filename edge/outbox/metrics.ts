import { LANES } from '#grid/wire/mod.ts';
import { Counter, Gauge, type Metrics } from '#service/mod.ts';
import type { LaneStats, OutboxStats } from './protocol.ts';

/** What the outbox holds, read when somebody asks. */
export interface OutboxState {
  readonly stats: OutboxStats;
  droppedByDevice(): Promise<Map<string, number>>;
}

export interface OutboxMetrics {
  commits: Counter;
  refused: Counter<'lane'>;
  salvages: Counter;
}

export function createOutboxMetrics(metrics: Metrics, state: OutboxState): OutboxMetrics {
  const registers = [metrics];
  const gauge = (name: string, help: string, value: (stats: LaneStats) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['lane'],
      registers,
      collect() {
        for (const lane of LANES) this.set({ lane }, value(state.stats[lane]));
      },
    });
  gauge('gewu_outbox_records', 'Records that wait for the centre, by lane', (s) => s.records);
  gauge('gewu_outbox_bytes', 'Their bytes with checksums, as the quota counts them', (s) => s.bytes);
  gauge('gewu_outbox_dropped', 'Records dropped at the quota or for their age, by lane', (s) => s.dropped);
  gauge(
    'gewu_outbox_lost_to_disk',
    'Records whose checksum no longer held, or that a damaged file did not give back, by lane',
    (s) => s.quarantined,
  );
  new Gauge({
    name: 'gewu_outbox_dropped_readings',
    help: 'Readings dropped at the quota or for their age, by device; * are those beyond the number that is told apart',
    labelNames: ['device'],
    registers,
    async collect() {
      // While the thread is away the figures stay as they were.
      const byDevice = await state.droppedByDevice().catch(() => new Map<string, number>());
      for (const [device, count] of byDevice) this.set({ device }, count);
    },
  });
  return {
    commits: new Counter({ name: 'gewu_outbox_commits_total', help: 'Groups of records made durable', registers }),
    refused: new Counter({
      name: 'gewu_outbox_refused_total',
      help: 'Records that were not taken because there was no room, by lane: their sender was told, nothing was acknowledged',
      labelNames: ['lane'],
      registers,
    }),
    salvages: new Counter({
      name: 'gewu_outbox_salvages_total',
      help: 'Damaged files that were replaced by what could be read of them',
      registers,
    }),
  };
}
