import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from './api.ts';

/** What the target said of itself at a moment. */
export interface Usage {
  /** Seconds from the start of the load. */
  atS: number;
  cpuS: number;
  residentMb: number;
  eventLoopP99Ms: number;
}

const EVERY_MS = 1_000;
const POINTS_MAX = 100_000;
const MEBIBYTE = 1024 * 1024;

/** Reads the target's `/metrics` once a second. A target that does not answer leaves a gap. */
export class UsageWatch {
  readonly #api: ApiClient;
  readonly points: Usage[] = [];
  #stopped = false;
  #running: Promise<void> | undefined;
  #startedMs = 0;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  start(): void {
    this.#startedMs = performance.now();
    this.#running = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #watch(): Promise<void> {
    while (!this.#stopped && this.points.length < POINTS_MAX) {
      const text = await this.#api.fetch('/metrics').then(
        (r) => (r.ok ? r.text() : null),
        () => null,
      );
      if (text !== null)
        this.points.push({
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
