import type { LiveBox, LiveBoxes } from '#grid/live/mod.ts';

const KEPT_MS = 15_000;
const KEPT_MAX = 300;
/** A box is shown for so long after it was seen, when nothing newer is known; two looks may be so far apart. */
const HOLD_MS_MAX = 2_000;
/** Before the first look that is known its boxes are near enough. */
const EARLY_MS_MAX = 500;

/** What was said about the things in the picture, by its time. */
export class BoxHistory {
  #looks: LiveBoxes[] = [];

  push(look: LiveBoxes): void {
    const last = this.#looks.at(-1);
    // The edge's clock was set back: what is newer than now is of another time.
    if (last !== undefined && look.at < last.at) this.#looks = [];
    this.#looks.push(look);
    const from = this.#looks.findIndex(({ at }) => look.at - at <= KEPT_MS);
    this.#looks.splice(0, Math.max(from, this.#looks.length - KEPT_MAX));
  }

  clear(): void {
    this.#looks = [];
  }

  /** The boxes of a moment: between two looks a thing is on its way from one to the other, and one look that misses it is bridged. */
  at(ms: number): LiveBox[] {
    const n = this.#looks.findLastIndex(({ at }) => at <= ms);
    const [missed, before, after] = [this.#looks[n - 1], this.#looks[n], this.#looks[n + 1]];
    if (before === undefined) return after !== undefined && after.at - ms < EARLY_MS_MAX ? after.boxes : [];
    if (ms - before.at > HOLD_MS_MAX) return [];
    const next = after === undefined || after.at - before.at > HOLD_MS_MAX ? undefined : after;
    const later = next === undefined ? null : byTrack(next);
    const now = bridged(before, missed, later);
    if (next === undefined || later === null) return now;
    const share = (ms - before.at) / (next.at - before.at);
    const moved = now.map((b) => between(b, later.get(b.track), share));
    const known = new Set(now.map((b) => b.track));
    // One that comes and one that goes each have their half of the time between.
    return share < 0.5 ? moved : [...moved.filter((b) => later.has(b.track)), ...next.boxes.filter((b) => !known.has(b.track))];
  }
}

function byTrack({ boxes }: LiveBoxes): Map<string, LiveBox> {
  return new Map(boxes.map((b) => [b.track, b]));
}

/** With what the look before had, unless the one after knows that it is gone. */
function bridged(look: LiveBoxes, missed: LiveBoxes | undefined, later: ReadonlyMap<string, LiveBox> | null): LiveBox[] {
  if (missed === undefined || look.at - missed.at > HOLD_MS_MAX) return look.boxes;
  const own = byTrack(look);
  return [...look.boxes, ...missed.boxes.filter((b) => !own.has(b.track) && (later === null || later.has(b.track)))];
}

function between(a: LiveBox, b: LiveBox | undefined, share: number): LiveBox {
  if (b === undefined) return a;
  const mean = (i: 0 | 1 | 2 | 3): number => a.box[i] + (b.box[i] - a.box[i]) * share;
  return { ...a, box: [mean(0), mean(1), mean(2), mean(3)] };
}
