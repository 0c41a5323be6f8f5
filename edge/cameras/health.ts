import type { HealthState } from '#grid/wire/mod.ts';
import type { PictureFault } from './picture.ts';
import type { FailureReason } from './reason.ts';
import { stallMs, type Timing } from './source.ts';

/** What can be wrong with a camera that sends pictures. */
export type CameraFault = PictureFault | SeenThrough;

/** A state, and no fault of the camera's component: what it shows is still seen. */
const SEEN_THROUGH = ['damaged', 'slow'] as const;
type SeenThrough = (typeof SEEN_THROUGH)[number];

const isSeenThrough = (fault: CameraFault): boolean => (SEEN_THROUGH as readonly string[]).includes(fault);

export interface CameraState {
  state: HealthState;
  /** 'starting', 'connected', 'shadow', what is wrong with the picture, or why the stream failed. */
  reason: string;
  /** UTC ms since when state and reason hold. */
  since: number;
}

/** Offline or degraded for longer than this, the camera's component has a fault. */
export const IMPAIRED_FAULT_MS = 30_000;

/** The first picture may take so long, while nothing has failed: model, ffmpeg and camera have to start. */
const START_MS = 15_000;

/**
 * The state of one camera, as people are told it:
 *
 *   unknown --frame--> online <--> degraded (black, covered, ...)
 *      |                  |
 *      +--4 s without a picture--> offline (stalled, refused, unauthorised, ...) --frame--> online
 */
export class CameraHealth {
  readonly #offlineMs: number;
  #state: CameraState;
  #reason: FailureReason | null = null;
  #lastFrameMs: number;
  #impairedSinceMs: number | null = null;

  /** Something that the model finds here opens no case yet. */
  shadow: boolean;

  constructor({ timing, shadow, at, ms }: { timing: Timing; shadow: boolean; at: number; ms: number }) {
    this.#offlineMs = stallMs(timing);
    this.shadow = shadow;
    this.#state = { state: 'unknown', reason: 'starting', since: at };
    this.#lastFrameMs = ms;
  }

  get current(): CameraState {
    return this.#state;
  }

  /** For how long it has not been as it should, ms; 0 while it is. */
  impairedMs(nowMs: number): number {
    return this.#impairedSinceMs === null ? 0 : nowMs - this.#impairedSinceMs;
  }

  /** A picture came. Returns the new state when it is another one. */
  frame(fault: CameraFault | null, at: number, ms: number): CameraState | null {
    this.#lastFrameMs = ms;
    this.#impairedSinceMs = fault === null || isSeenThrough(fault) ? null : (this.#impairedSinceMs ?? ms);
    this.#reason = null;
    return fault === null
      ? this.#become('online', this.shadow ? 'shadow' : 'connected', at)
      : this.#become('degraded', fault, at);
  }

  /** The stream broke. The state follows when it does not come back in time. */
  failure(reason: FailureReason, at: number): CameraState | null {
    this.#reason = reason;
    return this.#state.state === 'offline' ? this.#become('offline', reason, at) : null;
  }

  /** Time passes: call it about once a second. `silentMs`: without a picture, less the time in which nobody here could look at one. */
  tick(at: number, ms: number, silentMs = ms - this.#lastFrameMs): CameraState | null {
    const waitMs =
      this.#state.state === 'unknown' && this.#reason === null ? Math.max(START_MS, this.#offlineMs) : this.#offlineMs;
    if (this.#state.state === 'offline' || silentMs < waitMs) return null;
    this.#impairedSinceMs ??= this.#lastFrameMs;
    return this.#become('offline', this.#reason ?? 'stalled', at);
  }

  #become(state: HealthState, reason: string, at: number): CameraState | null {
    const { state: oldState, reason: oldReason, since } = this.#state;
    if (state === oldState && reason === oldReason) return null;
    // Another reason for the same outage does not begin a new one.
    this.#state = { state, reason, since: state === 'offline' && oldState === 'offline' ? since : at };
    return this.#state;
  }
}
