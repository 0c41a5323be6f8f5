/** Time as a seam: tests step it, faults shift it. */
export interface Clock {
  /** UTC ms. May jump. */
  now(): number;
  /** Monotonic ms, for durations. */
  monotonic(): number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 0;
  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#monotonic;
  }
  /** Time passes. */
  advance(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
  }
  /** Somebody sets the clock: no time passes. */
  jump(ms: number): void {
    this.#now += ms;
  }
}
