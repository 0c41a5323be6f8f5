import { performance } from 'node:perf_hooks';
import type { Service } from './lifecycle.ts';

/** How long input gathers. A message waits half of it on average. */
const REST_MS = 20;
/** What has come is worked off, and what that leads to, before the next rest. */
const WORK_MS = 5;
/** A loop that did not wait for so long since the last rest is behind, and does not rest. */
const IDLE_MS_MIN = 0.5;
/** Share of a loop's time: where it works less, there is nothing to spare; where it works more, gathering comes by itself. */
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
    const restMs = this.#pace.restMs(idle, active);
    if (restMs === 0) return;
    const before = performance.now();
    Atomics.wait(this.#never, 0, 0, restMs);
    this.#pace.rested(performance.now() - before);
  }
}

/** When a loop rests, from how long it has waited and worked so far, ms. Pure but for what it remembers. */
export class GatherPace {
  #seen = { idle: 0, active: 0 };
  #rested = 0;
  #share = 0;

  /** 0: it does not. A rest counts as work with those who measure the loop; it is not. */
  restMs(idle: number, active: number): number {
    const waited = idle - this.#seen.idle;
    const worked = Math.max(0, active - this.#seen.active - this.#rested);
    const passed = waited + worked + this.#rested;
    const weight = Math.min(1, passed / SHARE_WINDOW_MS);
    this.#share += weight * (worked / Math.max(1, passed) - this.#share);
    this.#seen = { idle, active };
    this.#rested = 0;
    return waited >= IDLE_MS_MIN && this.#share >= BUSY_SHARE.min && this.#share <= BUSY_SHARE.max ? REST_MS : 0;
  }

  rested(ms: number): void {
    this.#rested = ms;
  }
}
