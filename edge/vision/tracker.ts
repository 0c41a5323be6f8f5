import { type Box, iou } from '#models/mod.ts';
import type { Ground, GroundPoint } from './ground.ts';
import { begin, correct, type Mobility, type Motion, predict, speedMps, surprise } from './motion.ts';
import { contactPixel, type Pixel } from './placement.ts';

/** A detection with its place, fractions of the picture. `strong` reached its class's threshold. */
export interface Observed {
  class: string;
  score: number;
  strong: boolean;
  box: Box;
  point: GroundPoint | null;
  errorRadiusM: number;
  /** The pixel by which zones and lines judge where it is (`placement.ts`). */
  foot: Pixel;
}

/** One thing over many pictures. */
export interface Track {
  /** Unique within one run of the edge. */
  id: string;
  class: string;
  /** As it was last seen; while it is not, where it should be by now. */
  box: Box;
  /** Smoothed. */
  score: number;
  /** Smoothed; null while the thing has not been on the ground. */
  point: GroundPoint | null;
  errorRadiusM: number;
  /** As it was last seen (`placement.ts`). */
  foot: Pixel;
  confirmed: boolean;
  /** Found in the newest picture. */
  seen: boolean;
  /** In the picture that confirms it: where the one before had it. Null in all others. */
  newFrom: GroundPoint | null;
}

interface State extends Track {
  /** Where it was first seen. */
  first: GroundPoint | null;
  hits: number;
  seenMs: number;
  motion: Motion | null;
  /** Pictures in a row in which it was seen and did not move. */
  stood: number;
}

export interface TrackerOptions {
  /** Of the ids. */
  prefix: string;
  /** Between two pictures: a slow camera's tracks wait for three of them at least. */
  frameMs: number;
  ground: Pick<Ground, 'pixelOf'>;
}

const CONFIRM_HITS = 2;
/** One that stands and is hidden is waited for so long, one that moves so long. */
const HIDDEN_MS_MAX = 6000;
const HIDDEN_MOVING_MS_MAX = 1000;
const HIDDEN_PICTURES_MIN = 3;
const TRACKS_MAX = 100;
const SCORE_ALPHA = 0.4;
/** Overlap with the expected box from which a detection is the track's, whatever the ground says: its foot may be hidden. */
const IOU_SURE = 0.5;
/** The same where nothing is known of the ground. */
const IOU_MIN = 0.15;
/** Chi squared of two dimensions, 99 %. */
const SURPRISE_MAX = 9.21;
/** What a full overlap is worth beside the surprise. */
const IOU_WORTH = 6;
/** Much of an error radius is the same from picture to picture: what is not is taken for one third of it, one standard deviation. */
const SIGMAS_OF_RADIUS = 3;
const PREDICT_S_MAX = 2;
/** Slower than this over so many pictures a thing stands, and is expected to go on standing. */
const STANDS_MPS = 0.6;
const STANDS_PICTURES = 2;
/** From here on its box is moved along, and it is not waited for when it is hidden. */
const MOVES_MPS = 1;

const STANDING: Mobility = { speedMps: 0.03, accelerationMps2: 0.03 };
const PUSHED: Mobility = { speedMps: 0.7, accelerationMps2: 0.7 };
const DRIVEN: Mobility = { speedMps: 6, accelerationMps2: 3 };
const MOBILITY: Readonly<Record<string, Mobility>> = {
  stall: PUSHED,
  garbage: STANDING,
  ponding: STANDING,
  open_manhole: STANDING,
  vehicle: DRIVEN,
};
const MOBILITY_OTHER = PUSHED;

/**
 * Joins detections of successive pictures to tracks, same class only:
 *
 *   every track is moved to where it should be --> strong detections choose first, the least surprising pairs before others
 *                                              --> weak ones may keep a known track alive, and begin none
 *                                              --> strong ones that are left begin tracks
 *
 * The two stages are those of Zhang et al., ByteTrack: Multi-Object Tracking by Associating Every Detection Box, ECCV 2022; the
 * motion is on the ground (`motion.ts`), where a car that drives away does not slow down. A thing that stands is waited for behind
 * what hides it; what was tried beside this and did not pay is in docs/decisions/008-tracking.md.
 */
export class Tracker {
  readonly #options: TrackerOptions;
  #tracks: State[] = [];
  #next = 1;
  #lastMs = 0;

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  /** Takes the detections of one picture; `nowMs` is monotonic. Returns all live tracks. */
  update(observed: readonly Observed[], nowMs: number): readonly Track[] {
    const seconds = Math.min(PREDICT_S_MAX, Math.max(0, (nowMs - this.#lastMs) / 1000));
    this.#lastMs = nowMs;
    for (const track of this.#tracks) this.#expect(track, seconds);
    const left = this.#associate(
      observed.filter((o) => o.strong),
      nowMs,
    );
    this.#associate(
      observed.filter((o) => !o.strong),
      nowMs,
    );
    for (const one of left) this.#begin(one, nowMs);
    this.#tracks = this.#tracks.filter((t) => t.seen || (t.confirmed && nowMs - t.seenMs <= this.#patienceMs(t)));
    return this.#tracks;
  }

  #patienceMs({ motion }: State): number {
    const { frameMs } = this.#options;
    if (motion !== null && speedMps(motion) > MOVES_MPS) return Math.max(HIDDEN_MOVING_MS_MAX, frameMs);
    return Math.max(HIDDEN_MS_MAX, HIDDEN_PICTURES_MIN * frameMs);
  }

  #expect(track: State, seconds: number): void {
    track.seen = false;
    track.newFrom = null;
    if (track.motion === null) return;
    const from = track.motion.point;
    track.motion = predict(track.motion, seconds, mobilityOf(track));
    track.point = track.motion.point;
    if (speedMps(track.motion) > MOVES_MPS) track.box = carried(this.#options.ground, track, from, track.point);
  }

  /** Gives each track that has none its detection; returns those that are left. */
  #associate(observed: readonly Observed[], nowMs: number): Observed[] {
    const pairs: { track: State; one: Observed; cost: number }[] = [];
    for (const track of this.#tracks) {
      if (track.seen) continue;
      for (const one of observed) {
        const cost = track.class === one.class ? costOf(track, one) : null;
        if (cost !== null) pairs.push({ track, one, cost });
      }
    }
    pairs.sort((a, b) => a.cost - b.cost);
    const taken = new Set<Observed>();
    for (const { track, one } of pairs) {
      if (track.seen || taken.has(one)) continue;
      taken.add(one);
      observe(track, one, nowMs);
    }
    return observed.filter((one) => !taken.has(one));
  }

  #begin(one: Observed, nowMs: number): void {
    if (this.#tracks.length >= TRACKS_MAX) return;
    this.#tracks.push({
      id: `${this.#options.prefix}-${this.#next++}`,
      class: one.class,
      box: one.box,
      score: one.score,
      point: one.point,
      errorRadiusM: one.errorRadiusM,
      foot: one.foot,
      confirmed: false,
      seen: true,
      newFrom: null,
      first: one.point,
      hits: 1,
      seenMs: nowMs,
      stood: 0,
      motion: motionOf(one),
    });
  }
}

const mobilityOf = ({ class: className, stood }: { class: string; stood: number }): Mobility =>
  stood >= STANDS_PICTURES ? STANDING : (MOBILITY[className] ?? MOBILITY_OTHER);

const varianceM2 = ({ errorRadiusM }: Observed): number => (errorRadiusM / SIGMAS_OF_RADIUS) ** 2;

const motionOf = (one: Observed): Motion | null =>
  one.point === null ? null : begin(one.point, varianceM2(one), mobilityOf({ class: one.class, stood: 0 }));

/**
 * Null for no match, else the less the better: -2 ln of the likelihood of that place (but for a constant), less what the boxes
 * have in common.
 */
function costOf(track: State, one: Observed): number | null {
  const overlap = iou(track.box, one.box);
  if (track.motion === null || one.point === null) return overlap >= IOU_MIN ? -IOU_WORTH * overlap : null;
  const { distance2, varianceM2: s } = surprise(track.motion, one.point, varianceM2(one));
  if (distance2 > SURPRISE_MAX && overlap < IOU_SURE) return null;
  return Math.min(distance2, SURPRISE_MAX) + 2 * Math.log(s) - IOU_WORTH * overlap;
}

function observe(track: State, one: Observed, nowMs: number): void {
  track.hits++;
  if (track.hits === CONFIRM_HITS) [track.confirmed, track.newFrom] = [true, track.first];
  if (one.point !== null) {
    track.motion = track.motion === null ? motionOf(one) : correct(track.motion, one.point, varianceM2(one));
    track.point = track.motion?.point ?? null;
  }
  track.stood = track.motion !== null && speedMps(track.motion) < STANDS_MPS ? track.stood + 1 : 0;
  track.box = one.box;
  track.score += SCORE_ALPHA * (one.score - track.score);
  track.errorRadiusM = one.errorRadiusM;
  track.foot = one.foot;
  track.seen = true;
  track.seenMs = nowMs;
}

/** The box of a thing that has gone from one place to another: what is nearer looks larger. */
function carried(
  { pixelOf }: Pick<Ground, 'pixelOf'>,
  { class: className, box }: Track,
  from: GroundPoint,
  to: GroundPoint,
): Box {
  const [before, after] = [pixelOf(from), pixelOf(to)];
  if (before === null || after === null) return box;
  const scale = Math.hypot(...from) / Math.max(1, Math.hypot(...to));
  const [x, y] = contactPixel(className, box);
  const acrossOf = (edge: number): number => x + (after[0] - before[0]) + (edge - x) * scale;
  const downOf = (edge: number): number => y + (after[1] - before[1]) + (edge - y) * scale;
  return [acrossOf(box[0]), downOf(box[1]), acrossOf(box[2]), downOf(box[3])];
}
