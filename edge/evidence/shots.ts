import type { Box } from '#models/mod.ts';
import { type Picture, toRgba } from './mask.ts';
import { originalJpeg } from './picture.ts';

/** The picture that shows a thing best so far, as a JPEG. */
export interface Shot {
  jpeg: Promise<Buffer>;
  box: Box;
  people: readonly Box[];
  /** UTC ms and monotonic ms. */
  at: number;
  ms: number;
  worth: number;
}

/** A thing in one picture; fractions of the picture. */
export interface Sighting {
  box: Box;
  score: number;
  /** From here on its rule believes it. */
  confidenceMin: number;
}

/** What a picture that shows it counts: its share of the picture; unsure ones count little. */
const UNSURE = 0.1;
/** A better picture is better by so much: else every one would be. */
const BETTER = 1.15;
/** Things of one camera of which a picture is kept: 8 JPEGs of 1280 x 720 are 2 to 4 MiB. */
const SHOTS_MAX = 8;

export function worthOf({ box, score, confidenceMin }: Sighting): number {
  return (box[2] - box[0]) * (box[3] - box[1]) * (score >= confidenceMin ? 1 : score * UNSURE);
}

/** While things confirm and last: of each the picture with its largest sure box, compressed, so that waiting for minutes costs little. */
export class BestShots {
  readonly #shots = new Map<object, Shot>();
  #encoding = 0;

  /**
   * One picture: `sightings` are of the things that it shows, `lasting` all that are still looked for. The picture's memory is free
   * again when this returns.
   */
  look(
    picture: { widthPx: number; heightPx: number; rgb: Uint8Array },
    { at, ms, people }: Pick<Shot, 'at' | 'ms' | 'people'>,
    sightings: ReadonlyMap<object, Sighting>,
    lasting: ReadonlySet<object>,
  ): void {
    for (const thing of this.#shots.keys()) if (!lasting.has(thing)) this.#shots.delete(thing);
    let jpeg: Promise<Buffer> | null = null;
    for (const [thing, sighting] of sightings) {
      const known = this.#shots.get(thing);
      const worth = worthOf(sighting);
      if (known === undefined ? this.#shots.size >= SHOTS_MAX : worth < known.worth * BETTER || this.#encoding > 0) continue;
      // One picture that is best for several things is compressed once.
      jpeg ??= this.#compress(toRgba(picture));
      this.#shots.set(thing, { jpeg, box: sighting.box, people, at, ms, worth });
    }
  }

  of(thing: object): Shot | null {
    return this.#shots.get(thing) ?? null;
  }

  #compress(picture: Picture): Promise<Buffer> {
    this.#encoding++;
    const jpeg = originalJpeg(picture).finally(() => {
      this.#encoding--;
    });
    // Whoever uses it hears of the failure; nobody may.
    jpeg.catch(() => {});
    return jpeg;
  }
}
