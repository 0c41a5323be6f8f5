import type { WallTime, Zone, ZoneRule } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';
import type { KnownFixture } from './fixtures.ts';
import { distanceM, type GroundPoint } from './ground.ts';
import type { Track } from './tracker.ts';

/**
 * One thing that stands where a rule forbids it, from its first sight to its end; or one that has gone over a line, or more things
 * than may be:
 *
 *   pending --stood for dwellS, seen in 70 % of the time--> active --unseen for clearS--> gone
 *                                                             |         (its case is open: silent, until it is closed)
 *                                                             +--its case is closed--> pending again
 *
 * Time counts only while the camera shows pictures: a camera that shows nothing confirms nothing and clears nothing.
 */
export interface Incident {
  readonly zone: string;
  readonly rule: ZoneRule;
  state: 'pending' | 'active' | 'silent';
  /** The event of an active or silent one. */
  subject: string | null;
  /** Of the pending time: where it began to stand. */
  anchor: GroundPoint;
  /** Newest smoothed place; of many, their middle. */
  point: GroundPoint;
  errorRadiusM: number;
  box: Box;
  score: number;
  /** Of many, the one that is surest. */
  trackId: string;
  /** How many there are, where a rule counts. */
  count: number | null;
  /** Monotonic ms: first seen standing in the zone, less what the camera has shown nothing since. */
  startedMs: number;
  /** UTC ms of the same moment, and when it was last seen. */
  startedAt: number;
  lastSeenAt: number;
  updatedMs: number;
  presentMs: number;
  unseenMs: number;
  /** The last pictures, the newest in the lowest bit: was it seen. */
  pictures: number;
  /** Of the pending time: the most that a fixture in its box asked it to be surer than (`fixtures.ts`); 0 where there was none. */
  surerThan: number;
}

export interface Moment {
  /** UTC ms. */
  at: number;
  /** Monotonic ms. */
  ms: number;
  wall: WallTime;
}

export type Decision =
  | { kind: 'raise' | 'update' | 'clear'; incident: Incident }
  /** It would be raised, but for a fixture, of which reviewers know nothing yet. */
  | { kind: 'quiet'; incident: Incident; fixture: KnownFixture };

/** A track that stands on the ground. */
export interface Standing extends Track {
  point: GroundPoint;
}

/** A new track takes over an incident that is nearer than this, or within both error radii. */
const TAKEOVER_M_MIN = 2;
const TAKEOVER_M_MAX = 8;
/** Bits of `pictures`: the most that a rule can ask for. */
const PICTURES_MAX = 30;

/** One that begins with this picture; `gapMs` since the one before is about to be added, and does not count. */
export function beginIncident(zone: Zone, rule: ZoneRule, thing: Sighting, now: Moment, gapMs: number): Incident {
  return {
    zone: zone.id,
    rule,
    state: 'pending',
    subject: null,
    anchor: thing.point,
    ...thing,
    startedMs: now.ms,
    startedAt: now.at,
    lastSeenAt: now.at,
    updatedMs: now.ms,
    presentMs: -gapMs,
    unseenMs: 0,
    pictures: 0,
    surerThan: 0,
  };
}

/** What a picture shows of an incident. */
export type Sighting = Pick<Incident, 'point' | 'errorRadiusM' | 'box' | 'score' | 'trackId' | 'count'>;

export function sightingOf({ point, errorRadiusM, box, score, id }: Standing): Sighting {
  return { point, errorRadiusM, box, score, trackId: id, count: null };
}

/** Many things as one: around their middle, with a radius that holds all of them. */
export function sightingOfMany(things: readonly [Standing, ...Standing[]]): Sighting {
  const mean = (axis: 0 | 1): number => things.reduce((sum, t) => sum + t.point[axis], 0) / things.length;
  const point: GroundPoint = [mean(0), mean(1)];
  const edge = (k: 0 | 1 | 2 | 3, most: (...values: number[]) => number): number => most(...things.map((t) => t.box[k]));
  const surest = things.reduce((best, t) => (t.score > best.score ? t : best));
  return {
    point,
    errorRadiusM: Math.max(...things.map((t) => distanceM(t.point, point) + t.errorRadiusM)),
    box: [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)],
    score: surest.score,
    trackId: surest.id,
    count: things.length,
  };
}

/** Notes whether this picture shows it, and says whether it counts as there. */
export function isThere(incident: Incident, seen: boolean): boolean {
  incident.pictures = ((incident.pictures << 1) | Number(seen)) & ((1 << PICTURES_MAX) - 1);
  const { pictures } = incident.rule;
  if (pictures === undefined) return seen;
  let found = 0;
  for (let bits = incident.pictures & ((1 << pictures.of) - 1); bits !== 0; bits &= bits - 1) found++;
  return found >= pictures.seen;
}

/** Whether two places may be the same thing's. */
export function isSamePlace(a: Pick<Incident, 'point' | 'errorRadiusM'>, b: Pick<Incident, 'point' | 'errorRadiusM'>): boolean {
  const reachM = Math.max(TAKEOVER_M_MIN, Math.min(TAKEOVER_M_MAX, a.errorRadiusM + b.errorRadiusM));
  return distanceM(a.point, b.point) <= reachM;
}
