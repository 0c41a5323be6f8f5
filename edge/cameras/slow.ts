import { pictureMs, type Timing } from './source.ts';

/** Looked at are the pictures of so long, and of so many at the rate that is wanted. */
const SPAN_MS_MIN = 20_000;
const PICTURES_MIN = 20;
/** Of the pictures that are due: fewer than the one begin it, as many as the other end it. */
const SLOW_SHARE = 0.5;
const ENOUGH_SHARE = 0.7;

/**
 * Whether a camera sends clearly fewer pictures than its description asks for: it leaves some out, the network does, or
 * this node cannot decode them as fast as they come. A stream without any picture is not slow but stalled.
 */
export class SlowWatch {
  readonly #spanMs: number;
  readonly #due: number;
  /** Monotonic ms of the pictures of the last span, oldest first. */
  #arrivals: number[] = [];
  #sinceMs: number | null = null;
  #slow = false;

  constructor(timing: Timing) {
    this.#spanMs = Math.max(SPAN_MS_MIN, PICTURES_MIN * pictureMs(timing));
    this.#due = this.#spanMs / pictureMs(timing);
  }

  /** A picture came; whether so few have come of late. False until a whole span has passed. */
  add(nowMs: number): boolean {
    this.#sinceMs ??= nowMs;
    this.#arrivals.push(nowMs);
    const first = this.#arrivals.findIndex((ms) => ms > nowMs - this.#spanMs);
    this.#arrivals.splice(0, first);
    if (nowMs - this.#sinceMs < this.#spanMs) return false;
    this.#slow = this.#arrivals.length < (this.#slow ? ENOUGH_SHARE : SLOW_SHARE) * this.#due;
    return this.#slow;
  }

  /** Another ffmpeg begins. */
  reset(): void {
    this.#arrivals = [];
    this.#sinceMs = null;
    this.#slow = false;
  }
}
