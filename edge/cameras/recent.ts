import type { Box } from '#models/mod.ts';
import type { FullPicture } from './frames.ts';

/** A picture that was looked at, with what was found in it; fractions of the picture. */
export interface Seen {
  full: FullPicture;
  /** UTC ms. */
  at: number;
  people: readonly Box[];
  /** By track, of those that are in this picture. */
  boxes: ReadonlyMap<string, { box: Box; score: number }>;
}

/** Pictures kept per camera: at two a second the last second and a half. */
const KEPT = 3;

/** The last few pictures of a camera, out of which the one that shows a thing best becomes its evidence. */
export class RecentPictures {
  readonly #release: (full: FullPicture) => void;
  #seen: Seen[] = [];

  constructor(release: (full: FullPicture) => void) {
    this.#release = release;
  }

  push(seen: Seen): void {
    this.#seen.push(seen);
    while (this.#seen.length > KEPT) this.#release((this.#seen.shift() as Seen).full);
  }

  /** The picture with the largest sure box of the track; the newest one with `box` when it is in none. */
  best(trackId: string, box: Box): { seen: Seen; box: Box } | null {
    let best: { seen: Seen; box: Box; worth: number } | null = null;
    for (const seen of this.#seen) {
      const own = seen.boxes.get(trackId);
      if (own === undefined) continue;
      const worth = own.score * (own.box[2] - own.box[0]) * (own.box[3] - own.box[1]);
      if (best === null || worth > best.worth) best = { seen, box: own.box, worth };
    }
    const newest = this.#seen.at(-1);
    return best ?? (newest === undefined ? null : { seen: newest, box });
  }
}
