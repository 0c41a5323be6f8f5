import { performance } from 'node:perf_hooks';
import type { Service } from './lifecycle.ts';

/** How long input gathers. A message waits half of it on average. */
const REST_MS = 20;
/** On a machine that is full: messages wait longer than that for a core anyway, and every wake that is spared is somebody's work. */
const CROWDED_REST_MS = 40;
/** A machine is full for a loop that waits for a core as long as it has one. */
const CROWDED = 2;
/** What has come is worked off, and what that leads to, before the next rest. */
const WORK_MS = 5;
/** A loop that did not wait for input for so long since the last rest is behind, and does not rest where the machine is not full. */
const IDLE_MS_MIN = 0.5;
/** Share of a core: where a loop works less, there is nothing to spare; where it works more, gathering comes by itself. */
const BUSY_SHARE = { min: 0.03, max: 0.5 } as const;
/** The share is a mean of the last second or so. */
const SHARE_WINDOW_MS = 1_000;

/**
 * Lets the input of a process gather while it has time: a loop that wakes for each of some hundred messages a second finds
 * nothing of what it needs in the processor's caches, and works several times as long for each as when they come together.
 * The moderation of a network card's interrupts, for an event loop. The whole thread stands still meanwhile: one for each
 * process, started where the process is.
 */
export class InputGather implements Service {
  readonly #never = new Int32Array(new SharedArrayBuffer(4));
  readonly #pace = new GatherPace();
  #timer: NodeJS.Timeout | null = null;

  async start(): Promise<void> {
    this.#next();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      this.#turn();
      this.#next();
    }, WORK_MS).unref();
  }

  #turn(): void {
    const { idle, active } = performance.eventLoopUtilization();
    const { user, system } = process.threadCpuUsage();
    const restMs = this.#pace.restMs({ idle, active, worked: (user + system) / 1000 });
    if (restMs === 0) return;
    const before = performance.now();
    Atomics.wait(this.#never, 0, 0, restMs);
    this.#pace.rested(performance.now() - before);
  }
}

/** Of a loop since its beginning, ms: how long it waited for input, how long it did not, and how long it had a core in that time. */
export interface LoopTimes {
  idle: number;
  active: number;
  worked: number;
}

/** When a loop rests, and how long. Pure but for what it remembers. */
export class GatherPace {
  #seen: LoopTimes = { idle: 0, active: 0, worked: 0 };
  #rested = 0;
  /** Of the last second or so: shares of its time in which it had a core, and in which it had one or wanted one. */
  #working = 0;
  #wanting = 0;

  /** 0: it does not. A rest counts as active with those who measure the loop; it is not. */
  restMs({ idle, active, worked }: LoopTimes): number {
    const waited = idle - this.#seen.idle;
    const wanted = Math.max(0, active - this.#seen.active - this.#rested);
    const passed = Math.max(1, waited + wanted + this.#rested);
    const weight = Math.min(1, passed / SHARE_WINDOW_MS);
    // Many kernels count work in ticks: now and then more of it than time has passed.
    this.#working += weight * ((worked - this.#seen.worked) / passed - this.#working);
    this.#wanting += weight * (wanted / passed - this.#wanting);
    this.#seen = { idle, active, worked };
    this.#rested = 0;
    if (this.#working < BUSY_SHARE.min || this.#working > BUSY_SHARE.max) return 0;
    if (this.#wanting >= CROWDED * this.#working) return CROWDED_REST_MS;
    return waited >= IDLE_MS_MIN ? REST_MS : 0;
  }

  rested(ms: number): void {
    this.#rested = ms;
  }
}
