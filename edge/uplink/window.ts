/**
 * How many frames of backlog may be on their way at a time. Grows by one a round trip while round trips stay near the
 * shortest one seen, shrinks by one when they become long, halves when an ack is overdue. While an ack is overdue it
 * never grows: a slow centre is not answered with a storm. See docs/decisions/004-adaptive-window.md.
 */
export interface WindowLimits {
  startFrames: number;
  framesMax: number;
}

/** What an ack tells. Times are monotonic ms. */
export interface Acked {
  sentAt: number;
  /** Null when the frame was sent more than once: nobody knows which sending was answered (Karn). */
  roundTripMs: number | null;
  /** The window was used up: only then the ack says that more might fit. */
  full: boolean;
  /** Another ack is overdue. */
  overdue: boolean;
}

/** Delay that is no sign of a queue: the centre merges frames, and flash has its moods. */
const SLACK_MS = 50;
const GROW_UP_TO = 2;
const SHRINK_FROM = 4;
/** The shortest round trip is measured anew after so long, with no more than this in flight: the path may have changed. */
const SHORTEST_AGE_MS_MAX = 30_000;
const PROBE_FRAMES = 2;

export class Window {
  readonly #limits: WindowLimits;
  #frames: number;
  /** Part of the next frame that was earned. */
  #earned = 0;
  #shortestMs = Number.POSITIVE_INFINITY;
  #shortestAt = 0;
  /** Frames that were sent before it tell nothing about the window of now. */
  #reducedAt = Number.NEGATIVE_INFINITY;
  #probe: { since: number; restore: number } | null = null;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
    this.#frames = limits.startFrames;
  }

  get frames(): number {
    return this.#frames;
  }

  /** A new connection may take another path. */
  reset(now: number): void {
    this.#frames = this.#limits.startFrames;
    this.#earned = 0;
    this.#shortestMs = Number.POSITIVE_INFINITY;
    this.#reducedAt = now;
    this.#probe = null;
  }

  acked({ sentAt, roundTripMs, full, overdue }: Acked, now: number): void {
    if (roundTripMs === null) return;
    this.#measured(sentAt, roundTripMs, now);
    if (this.#probe) return;
    if (roundTripMs > SHRINK_FROM * (this.#shortestMs + SLACK_MS)) {
      if (sentAt >= this.#reducedAt) this.#reduceTo(Math.min(this.#frames, Math.max(PROBE_FRAMES, this.#frames - 1)), now);
    } else if (full && !overdue && roundTripMs <= GROW_UP_TO * this.#shortestMs + SLACK_MS) {
      this.#earned += 1 / this.#frames;
      if (this.#earned < 1) return;
      this.#earned = 0;
      this.#frames = Math.min(this.#limits.framesMax, this.#frames + 1);
    }
  }

  /** The ack of a frame sent then did not come in time. Once a round: those that were sent with it are late for the same reason. */
  timedOut(sentAt: number, now: number): void {
    if (sentAt < this.#reducedAt) return;
    const frames = this.#probe?.restore ?? this.#frames;
    this.#probe = null;
    this.#reduceTo(Math.max(1, Math.floor(frames / 2)), now);
  }

  #reduceTo(frames: number, now: number): void {
    this.#frames = frames;
    this.#earned = 0;
    this.#reducedAt = now;
  }

  #measured(sentAt: number, ms: number, now: number): void {
    if (this.#probe) {
      if (sentAt < this.#probe.since) return;
      this.#frames = this.#probe.restore;
      this.#probe = null;
    } else if (ms > this.#shortestMs) {
      if (now - this.#shortestAt <= SHORTEST_AGE_MS_MAX) return;
      if (this.#frames > PROBE_FRAMES) {
        this.#probe = { since: now, restore: this.#frames };
        this.#frames = PROBE_FRAMES;
        return;
      }
    }
    this.#shortestMs = ms;
    this.#shortestAt = now;
  }
}
