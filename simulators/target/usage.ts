import { setTimeout as pause } from 'node:timers/promises';
import { metricOf, readMetrics, type Watched } from './metrics.ts';

/** What a process of the target said of itself at a moment; null what it did not say. */
export interface Usage {
  /** Seconds from the start of the load. */
  atS: number;
  cpuS: number | null;
  residentMb: number | null;
  eventLoopP99Ms: number | null;
}

const EVERY_MS = 5_000;
const POINTS_MAX = 100_000;
const MEBIBYTE = 1024 * 1024;

/** Reads `/metrics` of every process of the target every five seconds: being asked costs it something, too. One that does not answer leaves a gap. */
export class UsageWatch {
  readonly #watched: readonly Watched[];
  readonly points: Readonly<Record<string, Usage[]>>;
  readonly #stopped = new AbortController();
  #running: Promise<unknown> | undefined;
  #startedMs = 0;

  constructor(watched: readonly Watched[]) {
    this.#watched = watched;
    this.points = Object.fromEntries(watched.map(({ name }) => [name, []]));
  }

  start(): void {
    this.#startedMs = performance.now();
    this.#running = Promise.all(this.#watched.map((one) => this.#watch(one)));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #watch(one: Watched): Promise<void> {
    const points = this.points[one.name] ?? [];
    const { signal } = this.#stopped;
    while (!signal.aborted && points.length < POINTS_MAX) {
      const text = await readMetrics(one, signal);
      if (text !== null) points.push({ atS: this.#atS(), ...usageOf(text) });
      await pause(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #atS(): number {
    return Math.round((performance.now() - this.#startedMs) / 100) / 10;
  }
}

/** From the text of a process's metrics. */
export function usageOf(text: string): Omit<Usage, 'atS'> {
  const of = (name: string, unit: number) => {
    const value = metricOf(text, name);
    return value === null ? null : Math.round(value / unit);
  };
  return {
    cpuS: metricOf(text, 'process_cpu_seconds_total'),
    residentMb: of('process_resident_memory_bytes', MEBIBYTE),
    eventLoopP99Ms: of('nodejs_eventloop_lag_p99_seconds', 0.001),
  };
}
