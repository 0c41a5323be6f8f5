import { type Box, iou } from '#models/mod.ts';

/** What a camera has shown from its first looks on: of that class, in that box, with that score. Fractions of the picture. */
export interface Fixture {
  class: string;
  box: Box;
  /** Of late. */
  score: number;
}

/** One that is known, and the event by which reviewers see what it keeps quiet; null while that is nothing. */
export interface KnownFixture extends Fixture {
  event: string | null;
}

interface Known extends KnownFixture {
  /** Monotonic ms. */
  seenMs: number;
  looks: number;
}

/** Boxes that overlap so much are the same thing's: the camera does not move, and neither does a thing that stands. */
const IOU_SAME = 0.5;
/** The first looks: what is there in half of the pictures of this time was there before the camera looked. */
export const FIRST_LOOKS_MS = 60_000;
const PRESENCE_MIN = 0.5;
const HOUR_MS = 3_600_000;
/** What drives is no part of a street, and leaves its place to the next one. */
const DRIVES: ReadonlySet<string> = new Set(['vehicle']);
/**
 * One that is not seen for so long is gone, and what stands there then has come. What is pushed makes room for another of its kind. What
 * cannot move may be taken for something by one light and not by another: that is a day.
 */
const FORGET_MS: Readonly<Record<string, number>> = { stall: 2 * HOUR_MS };
const FORGET_MS_OTHER = 24 * HOUR_MS;
/** Its score follows the light of the day. A thing that comes to stand before it has had its dwell time long before. */
const SCORE_TAU_MS = 20 * 60_000;
/** Time between looks counts up to so much: what a camera shows first after hours in which it showed nothing is one look. */
const GAP_MS_MAX = 60_000;
const FIXTURES_MAX = 200;
/** By so much a thing must be surer than what has always been found there: scores of one and the same stray by less. */
const SURER_BY = 0.2;
/** Beyond this nothing can be surer. */
const SURE = 0.95;

/**
 * What has stood before a camera since before it looked: covers in their shafts, bins, umbrellas of a terrace, a patch of another
 * pavement. A detector takes one or the other for something all day long, and it is there for every picture of a dwell time. What is
 * to be reported comes at some time. So a thing in the box of a fixture is reported only where the detector is surer of it than it
 * has been of the fixture; what is kept quiet by that is told to reviewers (`quiet.ts`).
 *
 *   all detections of the first minute --in half of its pictures--> fixtures --unseen for long, or an event--> forgotten
 */
export class Fixtures {
  #known: Known[] = [];
  #sinceMs: number | null = null;
  #lastMs = 0;
  #pictures = 0;
  #complete = false;
  #isNews = false;

  /** Those that an earlier run had found: what is not among them has come since. */
  restore(fixtures: readonly KnownFixture[], nowMs: number): void {
    this.#known = fixtures.slice(0, FIXTURES_MAX).map((f) => ({ ...f, seenMs: nowMs, looks: 0 }));
    this.#complete = true;
    this.#lastMs = nowMs;
  }

  /** The camera looks elsewhere: its next minute is the first. */
  learnAnew(): void {
    this.#known = [];
    this.#sinceMs = null;
    this.#pictures = 0;
    this.#complete = false;
    this.#isNews = true;
  }

  /** Null until the first minute is over. */
  get all(): readonly KnownFixture[] | null {
    return this.#complete ? this.#known.map(({ class: c, box, score, event }) => ({ class: c, box, score, event })) : null;
  }

  /** Whether the one with this event is still known. */
  has(event: string): boolean {
    return this.#known.some((f) => f.event === event);
  }

  /** Whether there are others than the last time that this was asked. */
  takeNews(): boolean {
    const isNews = this.#isNews;
    this.#isNews = false;
    return isNews;
  }

  /** The detections of one picture, weak ones too; and the things that have an event. */
  look(detections: readonly Fixture[], events: readonly Pick<Fixture, 'class' | 'box'>[], nowMs: number): void {
    this.#sinceMs ??= nowMs;
    const share = 1 - Math.exp(-Math.min(GAP_MS_MAX, Math.max(0, nowMs - this.#lastMs)) / SCORE_TAU_MS);
    this.#lastMs = nowMs;
    this.#pictures++;
    for (const one of detections) if (!DRIVES.has(one.class)) this.#see(one, share, nowMs);
    if (!this.#complete && nowMs - this.#sinceMs >= FIRST_LOOKS_MS) this.#conclude();
    this.#keep((f) => nowMs - f.seenMs < (FORGET_MS[f.class] ?? FORGET_MS_OTHER) && !events.some((e) => isSame(e, f)));
  }

  /** The score from which a thing in that box is more than what has always been there; 0 where nothing was. */
  surerThan(className: string, box: Box): number {
    if (!this.#complete) return 0;
    const scores = this.#known.filter((f) => isSame(f, { class: className, box })).map((f) => f.score);
    return scores.length === 0 ? 0 : Math.min(SURE, Math.max(...scores) + SURER_BY);
  }

  /** What keeps a thing in that box quiet, the surest one; null where nothing does, or where reviewers see it already. Its event is to be set. */
  untold(className: string, box: Box): KnownFixture | null {
    const own = this.#known.filter((f) => isSame(f, { class: className, box }));
    if (!this.#complete || own.some((f) => f.event !== null)) return null;
    return own.reduce<Known | null>((best, f) => (best === null || f.score > best.score ? f : best), null);
  }

  /** Forgets the one with this event, and others of its class in its box; null where it is not known. */
  drop(event: string): KnownFixture | null {
    const dropped = this.#known.find((f) => f.event === event) ?? null;
    if (dropped !== null) this.#keep((f) => !isSame(f, dropped));
    return dropped;
  }

  #see(one: Fixture, share: number, nowMs: number): void {
    const known = this.#known.find((f) => isSame(f, one));
    if (known !== undefined) {
      known.looks++;
      known.seenMs = nowMs;
      known.score += (one.score - known.score) * (this.#complete ? share : 1 / known.looks);
    } else if (!this.#complete && this.#known.length < FIXTURES_MAX)
      this.#known.push({ class: one.class, box: one.box, score: one.score, event: null, seenMs: nowMs, looks: 1 });
  }

  #conclude(): void {
    this.#complete = true;
    this.#isNews = true;
    this.#keep((f) => f.looks >= PRESENCE_MIN * this.#pictures);
  }

  #keep(stays: (fixture: Known) => boolean): void {
    const kept = this.#known.filter(stays);
    if (this.#complete && kept.length < this.#known.length) this.#isNews = true;
    this.#known = kept;
  }
}

function isSame(a: Pick<Fixture, 'class' | 'box'>, b: Pick<Fixture, 'class' | 'box'>): boolean {
  return a.class === b.class && iou(a.box, b.box) >= IOU_SAME;
}
