/** Round trip and resend time after RFC 6298: smoothed mean plus four deviations, doubled per attempt. */
const MIN_MS = 500;
const MAX_MS = 30_000;
/** Doubling ends here: the window has shrunk to one by then, and a centre that comes back is not to wait for us. */
const DOUBLED_MS_MAX = 10_000;
const INITIAL_MS = 2_000;

export class RoundTrip {
  #mean: number | null = null;
  #deviation = 0;
  /** Doublings that stay until a round trip is measured: on a path that became slow no first sending is answered in time. */
  #doublings = 0;

  /** Of a frame that was sent once only: a resent one does not tell which sending was answered (Karn). */
  measured(ms: number): void {
    this.#doublings = 0;
    if (this.#mean === null) {
      this.#mean = ms;
      this.#deviation = ms / 2;
      return;
    }
    this.#deviation = 0.75 * this.#deviation + 0.25 * Math.abs(this.#mean - ms);
    this.#mean = 0.875 * this.#mean + 0.125 * ms;
  }

  /** The n-th sending of a frame was not answered in time. */
  timedOut(attempt: number): void {
    this.#doublings = Math.max(this.#doublings, attempt);
  }

  /** A new connection may take another path: what is known is kept, what was feared is not. */
  reconnected(): void {
    this.#doublings = 0;
  }

  get meanMs(): number {
    return this.#mean ?? 0;
  }

  /** How long to wait for the ack of the n-th sending (1, 2, ...). */
  resendAfterMs(attempt: number): number {
    const base = this.#mean === null ? INITIAL_MS : Math.max(MIN_MS, this.#mean + 4 * this.#deviation);
    const doubled = base * 2 ** Math.max(attempt - 1, this.#doublings);
    return Math.min(MAX_MS, Math.max(base, Math.min(DOUBLED_MS_MAX, doubled)));
  }
}

/** Reconnect delays: doubling from 1 s to 30 s, each with half of it random, so that a city does not come back at once. */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  #attempt = 0;

  constructor(baseMs = 1_000, maxMs = 30_000) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
  }

  next(): number {
    const full = Math.min(this.#maxMs, this.#baseMs * 2 ** this.#attempt++);
    return full / 2 + (Math.random() * full) / 2;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
