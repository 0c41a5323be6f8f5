/** What can be wrong with a picture that arrives. */
export type PictureFault = 'black' | 'frozen';

/** Every so many bytes of the model's input one is looked at: about a thousand of 320 x 320. A prime, so that no column repeats. */
const STEP_BYTES = 307;
const BLACK_MEAN_MAX = 18;
const BLACK_DEVIATION_MAX = 6;
/** A black picture is a fault after so long, an unchanged one after so long; both end with the first good picture. */
const BLACK_MS = 5000;
const FROZEN_MS = 30_000;

/**
 * Tells a covered or dark camera and one that repeats its last picture, from a thousand pixels of the letterboxed input.
 * A living camera's picture is never twice the same to the last bit: its noise sees to that.
 */
export class PictureCheck {
  readonly #from: number;
  readonly #to: number;
  #hash = 0;
  #sameSinceMs: number | null = null;
  #blackSinceMs: number | null = null;

  /** `from` and `to` are the rows of the input that hold the picture; the bars beside it do not count. */
  constructor(rows: { from: number; to: number; width: number }) {
    this.#from = rows.from * rows.width * 3;
    this.#to = rows.to * rows.width * 3;
  }

  /**
   * Looks at one picture; `nowMs` is monotonic. A black one is of no use from the first on: nothing that stands there may
   * be taken for gone. It is a fault after a grace time.
   */
  look(input: ArrayBuffer, nowMs: number): { usable: boolean; fault: PictureFault | null } {
    const { mean, deviation, hash } = this.#measure(new Uint8Array(input));
    const black = mean < BLACK_MEAN_MAX && deviation < BLACK_DEVIATION_MAX;
    this.#blackSinceMs = black ? (this.#blackSinceMs ?? nowMs) : null;
    this.#sameSinceMs = hash === this.#hash ? (this.#sameSinceMs ?? nowMs) : null;
    this.#hash = hash;
    const lasts = (sinceMs: number | null, graceMs: number): boolean => sinceMs !== null && nowMs - sinceMs >= graceMs;
    if (lasts(this.#blackSinceMs, BLACK_MS)) return { usable: false, fault: 'black' };
    if (lasts(this.#sameSinceMs, FROZEN_MS)) return { usable: false, fault: 'frozen' };
    return { usable: !black, fault: null };
  }

  /** The stream was interrupted: nothing is known about the time between. */
  reset(): void {
    this.#sameSinceMs = null;
    this.#blackSinceMs = null;
    this.#hash = 0;
  }

  #measure(bytes: Uint8Array): { mean: number; deviation: number; hash: number } {
    let [sum, squares, count] = [0, 0, 0];
    let hash = 0x811c9dc5;
    for (let at = this.#from; at < this.#to; at += STEP_BYTES) {
      const value = bytes[at] as number;
      sum += value;
      squares += value * value;
      count++;
      hash = Math.imul(hash ^ value, 0x01000193);
    }
    const mean = sum / count;
    return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), hash: hash >>> 0 };
  }
}
