import { iou } from '../formats/mod.ts';
import type { Box } from '../letterbox.ts';
import { assign } from './assign.ts';

/** A thing as the simulator, or a person with much patience, says it is there. */
export interface TrackTruth {
  id: string;
  class: string;
  box: Box;
  /** Too small or too much hidden to be counted: finding it is neither right nor wrong. */
  ignored: boolean;
}

/** The same as a tracker says it. */
export interface TrackFound {
  id: string;
  class: string;
  box: Box;
}

/** One picture. Boxes of both in the same units. */
export interface TrackedPicture {
  truth: readonly TrackTruth[];
  found: readonly TrackFound[];
}

/** Counts of one run. Those of several add up. */
export interface TrackCounts {
  /** Truth boxes that count, and what became of them. */
  truths: number;
  hits: number;
  missed: number;
  falseFound: number;
  /** A thing is found under another id than the last time that it was found. */
  switches: number;
  /** A thing that was found is missed, and found again. */
  fragments: number;
  /** Boxes under the one id that is right for the thing over the whole run; what is left of the found, and of the truth. */
  idHits: number;
  idFalse: number;
  idMissed: number;
  /** Things, and those found in 80 % of their pictures and more, or in less than 20 %. */
  things: number;
  mostlyTracked: number;
  mostlyLost: number;
}

export interface TrackScores {
  /** 1 - (missed + false + switches) / truths; 1 at best, may be negative. */
  mota: number;
  /** 2 idHits / (2 idHits + idFalse + idMissed). */
  idf1: number;
  precision: number;
  recall: number;
}

/** Overlap from which a found box is of the thing: 0.5, as the MOT challenges count. */
export const IOU_SAME = 0.5;
const MOSTLY_TRACKED = 0.8;
const MOSTLY_LOST = 0.2;

/**
 * Holds one camera's tracks against the truth, class by class.
 *
 * MOTA, misses, false boxes and switches: Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking Performance: The
 * CLEAR MOT Metrics, EURASIP J. Image and Video Processing 2008. A pair of the picture before stays one while it overlaps
 * enough; the others are paired for the greatest total overlap.
 * Fragments, mostly tracked and mostly lost: Li, Huang and Nevatia, Learning to Associate, CVPR 2009, as in Milan et al.,
 * MOT16, arXiv 1603.00831, which is also where ignored truth takes the found boxes that lie on it out of the count.
 * IDF1: Ristani et al., Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking, ECCV Workshops 2016:
 * things and tracks are paired one to one over the whole run, for the most boxes.
 */
export function countTracks(pictures: readonly TrackedPicture[], same = IOU_SAME): TrackCounts {
  const counting = new Counting(same);
  for (const picture of pictures) counting.look(picture);
  return counting.total();
}

export function scoresOf(c: TrackCounts): TrackScores {
  const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
  return {
    mota: 1 - share(c.missed + c.falseFound + c.switches, c.truths) * Number(c.truths > 0),
    idf1: share(2 * c.idHits, 2 * c.idHits + c.idFalse + c.idMissed),
    precision: share(c.hits, c.hits + c.falseFound),
    recall: share(c.hits, c.truths),
  };
}

export function addCounts(runs: readonly TrackCounts[]): TrackCounts {
  const sum = countTracks([]);
  for (const run of runs) for (const key of Object.keys(sum) as (keyof TrackCounts)[]) sum[key] += run[key];
  return sum;
}

/** What is known of one thing so far. */
interface Thing {
  pictures: number;
  hits: number;
  /** Track that it was last found as. */
  last: string | null;
  foundBefore: boolean;
}

class Counting {
  readonly #same: number;
  readonly #things = new Map<string, Thing>();
  /** Boxes that a thing and a track have in common, over the run; and all of each track's. */
  readonly #together = new Map<string, Map<string, number>>();
  readonly #ofTrack = new Map<string, number>();
  readonly #counts = { truths: 0, hits: 0, missed: 0, falseFound: 0, switches: 0, fragments: 0 };
  /** Track of each thing in the picture before. */
  #paired = new Map<string, string>();

  constructor(same: number) {
    this.#same = same;
  }

  look({ truth, found: all }: TrackedPicture): void {
    const trackOf = this.#pair(truth, all);
    this.#paired = trackOf;
    const ignored = new Set(truth.flatMap((t) => (t.ignored ? (trackOf.get(t.id) ?? []) : [])));
    const found = all.filter((f) => !ignored.has(f.id));
    const counted = truth.filter((t) => !t.ignored);
    this.#overlaps(counted, found);
    let hits = 0;
    for (const { id } of counted) {
      const thing = this.#thing(id);
      thing.pictures++;
      const track = trackOf.get(id);
      if (track !== undefined) {
        hits++;
        this.#hit(thing, track);
      } else thing.foundBefore = false;
    }
    const c = this.#counts;
    c.truths += counted.length;
    c.hits += hits;
    c.missed += counted.length - hits;
    c.falseFound += found.length - hits;
  }

  total(): TrackCounts {
    const things = [...this.#things.values()];
    const share = ({ hits, pictures }: Thing): number => hits / pictures;
    const idHits = this.#idHits();
    return {
      ...this.#counts,
      idHits,
      idFalse: this.#counts.hits + this.#counts.falseFound - idHits,
      idMissed: this.#counts.truths - idHits,
      things: things.length,
      mostlyTracked: things.filter((t) => share(t) >= MOSTLY_TRACKED).length,
      mostlyLost: things.filter((t) => share(t) < MOSTLY_LOST).length,
    };
  }

  #hit(thing: Thing, track: string): void {
    if (thing.last !== null && thing.last !== track) this.#counts.switches++;
    if (thing.last !== null && !thing.foundBefore) this.#counts.fragments++;
    thing.hits++;
    thing.last = track;
    thing.foundBefore = true;
  }

  /** Track of each thing of this picture. */
  #pair(truth: readonly TrackTruth[], found: readonly TrackFound[]): Map<string, string> {
    const pairs = new Map<string, string>();
    const byId = new Map(found.map((f) => [f.id, f]));
    const free = new Set(found);
    for (const thing of truth) {
      const before = byId.get(this.#paired.get(thing.id) ?? '');
      if (before === undefined || !this.#isOn(thing, before)) continue;
      pairs.set(thing.id, before.id);
      free.delete(before);
    }
    const rest = truth.filter((t) => !pairs.has(t.id));
    const others = [...free];
    const worth = rest.map((t) => others.map((f) => (this.#isOn(t, f) ? iou(t.box, f.box) : 0)));
    for (const [row, column] of assign(worth).entries()) {
      const track = others[column];
      if (track !== undefined) pairs.set((rest[row] as TrackTruth).id, track.id);
    }
    return pairs;
  }

  #isOn(thing: TrackTruth, found: TrackFound): boolean {
    return thing.class === found.class && iou(thing.box, found.box) >= this.#same;
  }

  #overlaps(truth: readonly TrackTruth[], found: readonly TrackFound[]): void {
    for (const { id } of found) this.#ofTrack.set(id, (this.#ofTrack.get(id) ?? 0) + 1);
    for (const thing of truth) {
      const row = this.#together.get(thing.id) ?? new Map<string, number>();
      this.#together.set(thing.id, row);
      for (const one of found) if (this.#isOn(thing, one)) row.set(one.id, (row.get(one.id) ?? 0) + 1);
    }
  }

  /** Every pair that is kept saves one missed and one false box for each box in common: the most common boxes are the best. */
  #idHits(): number {
    const rows = [...this.#together.values()];
    const tracks = [...this.#ofTrack.keys()];
    const worth = rows.map((row) => tracks.map((id) => row.get(id) ?? 0));
    return assign(worth).reduce((sum, column, row) => sum + (worth[row]?.[column] ?? 0), 0);
  }

  #thing(id: string): Thing {
    const thing = this.#things.get(id) ?? { pictures: 0, hits: 0, last: null, foundBefore: false };
    this.#things.set(id, thing);
    return thing;
  }
}
