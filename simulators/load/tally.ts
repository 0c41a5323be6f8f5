import { Histogram, type Second } from '../report/mod.ts';
import type { Acknowledged } from './carrier.ts';

const SECONDS_MAX = 7 * 86_400;

/** Latencies and rates of a run, second by second. Latency counts from the moment at which a sample was due, not sent. */
export class Tally {
  /** Ms. */
  readonly ack = new Histogram();
  readonly lag = new Histogram();
  readonly curve: Second[] = [];
  late = 0;
  acked = 0;
  readonly #lateMs: number;
  #second = { due: 0, acked: 0, lagMsMax: 0, latency: new Histogram() };

  constructor({ lateMs }: { lateMs: number }) {
    this.#lateMs = lateMs;
  }

  due(lagMs: number): void {
    this.#second.due++;
    this.lag.record(lagMs);
    if (lagMs > this.#second.lagMsMax) this.#second.lagMsMax = lagMs;
  }

  acknowledged({ dueMs }: Acknowledged, nowMs: number): void {
    const ms = nowMs - dueMs;
    this.acked++;
    this.ack.record(ms);
    this.#second.acked++;
    this.#second.latency.record(ms);
    if (ms > this.#lateMs) this.late++;
  }

  /** Ends the second. */
  turn(atS: number, { pending, connected }: { pending: number; connected: number }): void {
    const { due, acked, lagMsMax, latency } = this.#second;
    if (this.curve.length < SECONDS_MAX)
      this.curve.push({
        atS,
        due,
        acked,
        p99Ms: latency.percentile(0.99) ?? 0,
        pending,
        connected,
        lagMsMax: Math.round(lagMsMax * 10) / 10,
      });
    this.#second = { due: 0, acked: 0, lagMsMax: 0, latency: new Histogram() };
  }
}
