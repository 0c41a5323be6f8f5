import { type Box, iou } from '#models/mod.ts';
import { distanceM, type GroundPoint } from './ground.ts';

/** A detection with its place, fractions of the picture. `strong` reached its class's threshold. */
export interface Observed {
  class: string;
  score: number;
  strong: boolean;
  box: Box;
  point: GroundPoint | null;
  errorRadiusM: number;
}

/** One thing over many pictures. */
export interface Track {
  /** Unique within one run of the edge. */
  id: string;
  class: string;
  box: Box;
  /** Smoothed. */
  score: number;
  /** Smoothed; null while the thing has not been on the ground. */
  point: GroundPoint | null;
  errorRadiusM: number;
  confirmed: boolean;
  /** Found in the newest picture. */
  seen: boolean;
}

interface State extends Track {
  hits: number;
  seenMs: number;
  /** Of the box's centre, fractions a second. */
  velocity: readonly [number, number];
}

const CONFIRM_HITS = 2;
const FORGET_MS = 3000;
const TRACKS_MAX = 100;
const SCORE_ALPHA = 0.4;
const POINT_ALPHA = 0.35;
const VELOCITY_ALPHA = 0.5;
const IOU_MIN = 0.15;
const GROUND_M_MIN = 1;
const GROUND_M_MAX = 3;
const PREDICT_S_MAX = 2;

/**
 * Joins detections of successive pictures to tracks: same class only, by overlap with the predicted box and by distance
 * on the ground, best pairs first. Strong detections choose first; the weak ones may then keep a known track alive, but
 * begin none.
 */
export class Tracker {
  readonly #prefix: string;
  readonly #forgetMs: number;
  #tracks: State[] = [];
  #next = 1;
  #lastMs = 0;

  /** `frameMs` is the time between two pictures: a slow camera's tracks wait for three of them at least. */
  constructor(prefix: string, frameMs: number) {
    this.#prefix = prefix;
    this.#forgetMs = Math.max(FORGET_MS, 3 * frameMs);
  }

  /** Takes the detections of one picture; `nowMs` is monotonic. Returns all live tracks. */
  update(observed: readonly Observed[], nowMs: number): readonly Track[] {
    const seconds = Math.min(PREDICT_S_MAX, Math.max(0, (nowMs - this.#lastMs) / 1000));
    this.#lastMs = nowMs;
    for (const track of this.#tracks) {
      track.seen = false;
      track.box = moved(track.box, track.velocity, seconds);
    }
    const strong = observed.filter((o) => o.strong);
    const left = this.#associate(this.#tracks, strong, nowMs, seconds);
    const unseen = this.#tracks.filter((t) => !t.seen);
    this.#associate(
      unseen,
      observed.filter((o) => !o.strong),
      nowMs,
      seconds,
    );
    for (const one of left) this.#begin(one, nowMs);
    this.#tracks = this.#tracks.filter((t) => nowMs - t.seenMs <= this.#forgetMs && (t.seen || t.confirmed));
    return this.#tracks;
  }

  #associate(tracks: readonly State[], observed: readonly Observed[], nowMs: number, seconds: number): Observed[] {
    const pairs: { track: State; one: Observed; worth: number }[] = [];
    for (const track of tracks) {
      for (const one of observed) {
        const value = track.class === one.class ? worth(track, one) : 0;
        if (value > 0) pairs.push({ track, one, worth: value });
      }
    }
    pairs.sort((a, b) => b.worth - a.worth);
    const taken = new Set<Observed>();
    for (const { track, one } of pairs) {
      if (track.seen || taken.has(one)) continue;
      taken.add(one);
      observe(track, one, nowMs, seconds);
    }
    return observed.filter((one) => !taken.has(one));
  }

  #begin(one: Observed, nowMs: number): void {
    if (this.#tracks.length >= TRACKS_MAX) return;
    this.#tracks.push({
      id: `${this.#prefix}-${this.#next++}`,
      class: one.class,
      box: one.box,
      score: one.score,
      point: one.point,
      errorRadiusM: one.errorRadiusM,
      confirmed: false,
      seen: true,
      hits: 1,
      seenMs: nowMs,
      velocity: [0, 0],
    });
  }
}

/** 0 for no match; overlap and nearness on the ground each give up to 1. */
function worth(track: State, one: Observed): number {
  const overlap = iou(track.box, one.box);
  const reachM = Math.min(GROUND_M_MAX, Math.max(GROUND_M_MIN, one.errorRadiusM));
  const apartM = track.point === null || one.point === null ? Number.POSITIVE_INFINITY : distanceM(track.point, one.point);
  const near = apartM <= reachM ? 1 - apartM / reachM : 0;
  return overlap >= IOU_MIN || near > 0 ? overlap + near : 0;
}

function observe(track: State, one: Observed, nowMs: number, seconds: number): void {
  // `track.box` is already where the old velocity puts it: the rest is that velocity's error.
  const [dx, dy] = [centre(one.box, 0) - centre(track.box, 0), centre(one.box, 1) - centre(track.box, 1)];
  if (seconds > 0) {
    const gain = VELOCITY_ALPHA / seconds;
    track.velocity = [track.velocity[0] + gain * dx, track.velocity[1] + gain * dy];
  }
  track.box = one.box;
  track.score += SCORE_ALPHA * (one.score - track.score);
  track.point =
    track.point === null || one.point === null ? (one.point ?? track.point) : smoothed(track.point, one.point, one.errorRadiusM);
  track.errorRadiusM = one.errorRadiusM;
  track.seen = true;
  track.seenMs = nowMs;
  track.hits++;
  track.confirmed ||= track.hits >= CONFIRM_HITS;
}

const centre = (box: Box, axis: 0 | 1): number => (box[axis] + box[(axis + 2) as 2 | 3]) / 2;

/** A thing that moves is followed at once, one that stands is averaged: else it would seem to creep long after it stopped. */
function smoothed(old: GroundPoint, next: GroundPoint, errorRadiusM: number): GroundPoint {
  if (distanceM(old, next) > Math.max(GROUND_M_MIN, errorRadiusM)) return next;
  return [old[0] + POINT_ALPHA * (next[0] - old[0]), old[1] + POINT_ALPHA * (next[1] - old[1])];
}

function moved(box: Box, velocity: readonly [number, number], seconds: number): Box {
  const [dx, dy] = [velocity[0] * seconds, velocity[1] * seconds];
  return [box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy];
}
