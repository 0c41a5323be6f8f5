import type { PipelineAnswer } from '#grid/api/mod.ts';
import { LANES, type Lane } from '#grid/wire/mod.ts';
import type { Clock, Metrics, Service } from '#service/mod.ts';
import type { DeadLetterStore } from '../deadletters/mod.ts';
import type { Readiness } from './readiness.ts';

const SAMPLE_MS = 2_000;
/** Rates are over so many samples, times to acknowledge over SAMPLES_LONG, the drawn history over SAMPLES_MAX. */
const SAMPLES_RATE = 5;
const SAMPLES_LONG = 30;
const SAMPLES_MAX = 150;
const DAY_MS = 86_400_000;

interface LaneSample {
  stored: number;
  dead: number;
  /** Acknowledged so far, by upper bound in seconds; cumulative. */
  acks: ReadonlyMap<number, number>;
}
interface Sample {
  at: number;
  ms: number;
  lanes: Record<Lane, LaneSample>;
}

/** One value of a metric, as prom-client gives them. */
interface Value {
  labels: Partial<Record<string, string | number>>;
  value: number;
}

/** How the intake does: rates and times of the last seconds, from the counters that /metrics shows. */
export class PipelineMeter implements Service {
  readonly #metrics: Metrics;
  readonly #readiness: Readiness;
  readonly #deadLetters: DeadLetterStore;
  readonly #clock: Clock;
  #samples: Sample[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(deps: { metrics: Metrics; readiness: Readiness; deadLetters: DeadLetterStore; clock: Clock }) {
    this.#metrics = deps.metrics;
    this.#readiness = deps.readiness;
    this.#deadLetters = deps.deadLetters;
    this.#clock = deps.clock;
  }

  async start(): Promise<void> {
    await this.#sample();
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  async report(): Promise<Omit<PipelineAnswer, 'replicas'>> {
    const [ready, queues, bytes, deadLetters24h] = await Promise.all([
      this.#readiness.report(),
      this.#values('gewu_intake_queue_bytes'),
      this.#values('gewu_evidence_bytes'),
      this.#deadLetters.counts({ since: this.#clock.now() - DAY_MS }).then(
        (counts) => counts.reduce((sum, c) => sum + c.count, 0),
        () => null,
      ),
    ]);
    const last = this.#samples.at(-1);
    return {
      at: last?.at ?? this.#clock.now(),
      lanes: LANES.map((lane) => ({
        lane,
        ...this.#rates(lane),
        queueBytes: sum(queues, { lane }),
        ackMsP95: this.#ackMsP95(lane),
      })),
      history: this.#samples.slice(1).map((sample, i) => {
        const before = this.#samples[i] as Sample;
        return { at: sample.at, readingsPerS: perS(before, sample, 'readings'), eventsPerS: perS(before, sample, 'events') };
      }),
      stores: this.#readiness.names.map((name) => {
        const missing = ready.notReady.find((n) => n.name === name);
        return { name, ready: missing === undefined, code: missing?.code ?? null };
      }),
      evidenceBytes: sum(bytes, {}),
      deadLetters24h,
    };
  }

  async #sample(): Promise<void> {
    const [records, acks] = await Promise.all([
      this.#values('gewu_intake_records_total'),
      this.#values('gewu_intake_ack_seconds'),
    ]);
    const lanes = Object.fromEntries(
      LANES.map((lane): [Lane, LaneSample] => {
        const buckets = acks.filter((v) => v.labels.lane === lane && v.labels.le !== undefined);
        return [
          lane,
          {
            stored: sum(records, { lane, outcome: 'stored' }),
            dead: sum(records, { lane, outcome: 'dead' }),
            acks: new Map(buckets.map((v) => [v.labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(v.labels.le), v.value])),
          },
        ];
      }),
    ) as Record<Lane, LaneSample>;
    this.#samples.push({ at: this.#clock.now(), ms: this.#clock.monotonic(), lanes });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  #rates(lane: Lane): { storedPerS: number; deadPerS: number } {
    const [first, last] = [this.#samples.at(-1 - SAMPLES_RATE) ?? this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined) return { storedPerS: 0, deadPerS: 0 };
    const s = Math.max(1, last.ms - first.ms) / 1000;
    const rate = (key: 'stored' | 'dead') => Math.round(((last.lanes[lane][key] - first.lanes[lane][key]) / s) * 100) / 100;
    return { storedPerS: rate('stored'), deadPerS: rate('dead') };
  }

  /** The bound of the bucket in which it lies: a figure for people, not for a bench. */
  #ackMsP95(lane: Lane): number | null {
    const [first, last] = [this.#samples.at(-1 - SAMPLES_LONG) ?? this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined) return null;
    const counts = [...last.lanes[lane].acks]
      .map(([le, count]): [number, number] => [le, count - (first.lanes[lane].acks.get(le) ?? 0)])
      .sort(([a], [b]) => a - b);
    const total = counts.at(-1)?.[1] ?? 0;
    const bound = total === 0 ? undefined : counts.find(([, count]) => count >= total * 0.95)?.[0];
    const largest = counts.at(-2)?.[0] ?? 0;
    return bound === undefined ? null : Math.min(bound, largest) * 1000;
  }

  async #values(name: string): Promise<Value[]> {
    const metric = this.#metrics.getSingleMetric(name);
    return metric === undefined ? [] : ((await metric.get()).values as Value[]);
  }
}

function perS(before: Sample, sample: Sample, lane: Lane): number {
  const count = sample.lanes[lane].stored - before.lanes[lane].stored;
  return Math.round((count * 1000) / Math.max(1, sample.ms - before.ms));
}

function sum(values: readonly Value[], labels: Record<string, string>): number {
  const fits = (v: Value) => Object.entries(labels).every(([key, value]) => v.labels[key] === value);
  return values.filter(fits).reduce((total, v) => total + v.value, 0);
}
