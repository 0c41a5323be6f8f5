import type { Detection } from '#models/mod.ts';
import type { InferenceResult } from './worker.ts';

/** A lane is one camera: it has at most one picture with a worker and one waiting. */
export interface LaneFrame {
  /** The model's input; comes back by `onDone` or `onDropped`, possibly as another object over the same memory. */
  input: ArrayBuffer;
}

export interface LaneHandlers<F extends LaneFrame> {
  onDone(frame: F, detections: Detection[], inferenceMs: number): void;
  /** Replaced by a newer one, or its worker died or failed; the input can be used again unless it is detached. */
  onDropped(frame: F, reason: 'replaced' | 'failed'): void;
}

/** One camera's place in the queue. */
export class InferenceLane<F extends LaneFrame = LaneFrame> {
  /** Of the camera; '' where nobody has to know. */
  readonly name: string;
  readonly #handlers: LaneHandlers<F>;
  readonly #wait: (lane: InferenceLane<F>) => void;
  #waiting: F | null = null;
  #busy = false;

  constructor(name: string, handlers: LaneHandlers<F>, wait: (lane: InferenceLane<F>) => void) {
    this.name = name;
    this.#handlers = handlers;
    this.#wait = wait;
  }

  /** Hands in the newest picture; one that still waits is dropped for it. */
  offer(frame: F): void {
    const old = this.#waiting;
    this.#waiting = frame;
    if (old !== null) this.#handlers.onDropped(old, 'replaced');
    else if (!this.#busy) this.#wait(this);
  }

  /** Forgets the waiting picture. */
  clear(): void {
    const old = this.#waiting;
    this.#waiting = null;
    if (old !== null) this.#handlers.onDropped(old, 'replaced');
  }

  /** For the pool: the picture whose turn it is. */
  take(): F | null {
    const frame = this.#waiting;
    this.#waiting = null;
    if (frame !== null) this.#busy = true;
    return frame;
  }

  /** For the pool: the picture that was taken is through. */
  settle(frame: F, result: InferenceResult | null): void {
    this.#busy = false;
    if (result === null) this.#handlers.onDropped(frame, 'failed');
    else this.#handlers.onDone(frame, result.detections, result.inferenceMs);
    if (this.#waiting !== null) this.#wait(this);
  }
}
