import { setTimeout as pause } from 'node:timers/promises';

/** What a process of the target said of itself at a moment. */
export interface Usage {
  /** Seconds from the start of the load. */
  atS: number;
  cpuS: number;
  residentMb: number;
  eventLoopP99Ms: number;
}

/** One process of the target. */
export interface Watched {
  /** `centre`, or the id of an edge. */
  name: string;
  /** Of its `/metrics`. */
  url: string;
  headers?: Record<string, string>;
}

const EVERY_MS = 5_000;
const ANSWER_MS_MAX = 5_000;
const POINTS_MAX = 100_000;
const MEBIBYTE = 1024 * 1024;

/** Reads `/metrics` of every process of the target every five seconds: being asked costs it something, too. One that does not answer leaves a gap. */
export class UsageWatch {
  readonly #watched: readonly Watched[];
  readonly points: Readonly<Record<string, Usage[]>>;
  #stopped = false;
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
    this.#stopped = true;
    await this.#running;
  }

  async #watch({ name, url, headers = {} }: Watched): Promise<void> {
    const points = this.points[name] ?? [];
    while (!this.#stopped && points.length < POINTS_MAX) {
      const text = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) }).then(
        (r) => (r.ok ? r.text() : null),
        () => null,
      );
      if (text !== null)
        points.push({
          atS: Math.round((performance.now() - this.#startedMs) / 100) / 10,
          cpuS: metricOf(text, 'process_cpu_seconds_total'),
          residentMb: Math.round(metricOf(text, 'process_resident_memory_bytes') / MEBIBYTE),
          eventLoopP99Ms: Math.round(metricOf(text, 'nodejs_eventloop_lag_p99_seconds') * 1000),
        });
      await pause(EVERY_MS);
    }
  }
}

function metricOf(text: string, name: string): number {
  const m = new RegExp(`^${name} (\\S+)$`, 'm').exec(text);
  return m === null ? 0 : Number(m[1]);
}
