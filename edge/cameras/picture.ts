import { SCREEN_LEVEL } from './full_picture.ts';
import { type Reference, View } from './reference.ts';
import { type LumaPicture, type Thumbnail, thumbnailOf } from './thumbnail.ts';

/** What can be wrong with a picture that arrives. */
export const PICTURE_FAULTS = ['black', 'frozen', 'overexposed', 'covered', 'moved', 'blurred', 'resolution'] as const;
export type PictureFault = (typeof PICTURE_FAULTS)[number];

/** So long a fault has to last before it is told: ms. */
export const GRACE_MS: Readonly<Record<PictureFault, number>> = {
  black: 5000,
  // A living camera's picture is never twice the same to the last bit: its noise sees to that.
  frozen: 30_000,
  // A low sun or the headlights of a queue.
  overexposed: 30_000,
  // A bus that waits before the lens.
  covered: 45_000,
  moved: 60_000,
  // Drops on the lens, a passing bank of fog.
  blurred: 120_000,
  resolution: 10_000,
};
/** With one of these nothing that stands there may be taken for gone, and nothing for what it looks like. */
const BLINDING: readonly PictureFault[] = ['black', 'frozen', 'overexposed', 'covered', 'moved'];

const BLACK_MEAN_MAX = 18;
const BLACK_DEVIATION_MAX = 6;
const WHITE_MIN = 0.6;
/** A picture is measured once in so long; a dark one at once. */
const LOOK_EVERY_MS = 950;

export interface PictureCheckDeps {
  /** Where the camera has always looked; it learns that itself. */
  reference: Reference;
  /** Checks that do not fit the camera: `moved` of one that turns. */
  ignored?: readonly PictureFault[] | undefined;
  /** `GRACE_MS` unless told. */
  graceMs?: Readonly<Record<PictureFault, number>>;
}

/**
 * Tells from the pictures themselves when a camera shows nothing of use. Each fault has to last for its grace time; its end is
 * told with the first good picture, or when the mean of the last seconds is good again.
 */
export class PictureCheck {
  readonly #reference: Reference;
  readonly #ignored: readonly PictureFault[];
  readonly #graceMs: Readonly<Record<PictureFault, number>>;
  readonly #view = new View();
  /** When each condition began to hold, monotonic ms. */
  readonly #since = new Map<PictureFault, number>();
  #lookedMs = Number.NEGATIVE_INFINITY;
  #hash: number | null = null;
  #last: { usable: boolean; fault: PictureFault | null } = { usable: true, fault: null };

  constructor({ reference, ignored = [], graceMs = GRACE_MS }: PictureCheckDeps) {
    this.#reference = reference;
    this.#graceMs = graceMs;
    this.#ignored = ignored;
  }

  /** Looks at one picture; `nowMs` is monotonic, `thumbnail` what is known of it already. A black one is of no use from the first on. */
  look(full: LumaPicture, nowMs: number, thumbnail: Thumbnail | null = null): { usable: boolean; fault: PictureFault | null } {
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS && !isDark(full)) return this.#last;
    this.#lookedMs = nowMs;
    return this.#judge(thumbnail ?? thumbnailOf(full), nowMs);
  }

  #judge(thumbnail: Thumbnail, nowMs: number): { usable: boolean; fault: PictureFault | null } {
    const found = this.#conditions(thumbnail);
    for (const fault of PICTURE_FAULTS) {
      if (!found.has(fault)) this.#since.delete(fault);
      else if (!this.#since.has(fault)) this.#since.set(fault, nowMs);
    }
    const lasts = (fault: PictureFault): boolean => nowMs - (this.#since.get(fault) ?? nowMs) >= this.#graceMs[fault];
    const fault = PICTURE_FAULTS.find((f) => lasts(f) && !this.#ignored.includes(f)) ?? null;
    const blind = found.has('black') || (fault !== null && BLINDING.includes(fault));
    this.#last = { usable: !blind, fault };
    return this.#last;
  }

  /** The stream was interrupted: nothing is known about the time between. */
  reset(): void {
    this.#since.clear();
    this.#hash = null;
    this.#view.clear();
    this.#lookedMs = Number.NEGATIVE_INFINITY;
    this.#last = { usable: true, fault: null };
  }

  /** The camera was put to look elsewhere: what it shows from now on is right. */
  async renew(): Promise<void> {
    this.reset();
    await this.#reference.forget();
  }

  #conditions(thumbnail: Thumbnail): Set<PictureFault> {
    const found = new Set<PictureFault>();
    if (thumbnail.hash === this.#hash) found.add('frozen');
    this.#hash = thumbnail.hash;
    if (thumbnail.mean < BLACK_MEAN_MAX && thumbnail.deviation < BLACK_DEVIATION_MAX) return found.add('black');
    if (thumbnail.white > WHITE_MIN) return found.add('overexposed');
    const view = this.#view.add(thumbnail);
    if (this.#reference.isOtherSize(thumbnail)) return found.add('resolution');
    if (view === null) return found;
    const known = this.#reference.compare(view);
    if (known !== null) found.add(known);
    return found;
  }
}

/** A handful of pixels: whether it is worth to look at a picture before its time. */
function isDark({ luma }: LumaPicture): boolean {
  const step = Math.max(1, Math.floor(luma.length / 61));
  for (let at = 0; at < luma.length; at += step)
    if ((SCREEN_LEVEL[luma[at] as number] as number) > 2 * BLACK_MEAN_MAX) return false;
  return true;
}
