import type { MotionSettings } from '#grid/mod.ts';
import { COLUMNS, ROWS, type Thumbnail } from './thumbnail.ts';

/**
 * Lets pictures through to the detector while something moves, and now and then while nothing does.
 * It compares with the last picture that was let through, so that what creeps adds up and is seen.
 */
export class MotionGate {
  readonly #settings: MotionSettings;
  #seen: Uint8Array | null = null;
  #seenMs = 0;

  constructor(settings: MotionSettings) {
    this.#settings = settings;
  }

  /** Whether the detector is to see this picture; `nowMs` is monotonic. */
  opens({ luma }: Pick<Thumbnail, 'luma'>, nowMs: number): boolean {
    const { lookEveryS } = this.#settings;
    if (this.#seen !== null && nowMs - this.#seenMs < lookEveryS * 1000 && !this.#moved(luma, this.#seen)) return false;
    this.#seen = luma;
    this.#seenMs = nowMs;
    return true;
  }

  /** The stream was interrupted. */
  reset(): void {
    this.#seen = null;
  }

  #moved(now: Uint8Array, before: Uint8Array): boolean {
    const { levels, cells } = this.#settings;
    let moved = 0;
    for (let at = 0; at < COLUMNS * ROWS; at++)
      if (Math.abs((now[at] as number) - (before[at] as number)) > levels && ++moved >= cells) return true;
    return false;
  }
}
