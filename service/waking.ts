/**
 * Monotonic time less that in which this thread stood still, on a machine that is full: what was said to it meanwhile waits to be heard, and
 * who waits for a sign of life would take his own standstill for another one's silence.
 */
export class WakingTime {
  readonly #gapMsMax: number;
  #ms = 0;
  #askedMs: number | null = null;

  /** It is asked every `everyMs` or oftener, for as long as it is used; what is longer than twice that was a standstill. */
  constructor(everyMs: number) {
    this.#gapMsMax = 2 * everyMs;
  }

  /** Of the monotonic clock, ms; returns waking ms, from 0 on. */
  at(nowMs: number): number {
    if (this.#askedMs !== null) this.#ms += Math.min(this.#gapMsMax, Math.max(0, nowMs - this.#askedMs));
    this.#askedMs = nowMs;
    return this.#ms;
  }
}
