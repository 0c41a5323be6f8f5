import { distanceM, type EventData, type Place } from '#grid/mod.ts';

const DAY_MS = 24 * 3600 * 1000;
/** An event by position joins what was seen under this long before. Source: docs/domain/lifecycle.md section 6. */
export const SEEN_MS_MAX = DAY_MS;
/** A case closed under this long before an event is what the event repeats. Source: docs/domain/sensors.md section 4, rule 3. */
export const RECURRENCE_MS_MAX = DAY_MS;

/** What the joining needs to know of a case. */
export interface Candidate {
  id: string;
  place: Place;
  startedAt: number;
  lastSeenAt: number;
  /** UTC ms of its closing; null while it is open. */
  closedAt: number | null;
}

/** To an open case; to one that is over and was about the same, for the record; or to a new one. */
export type Joining = { to: 'case' | 'past'; id: string } | { to: 'new'; recurrenceOf: string | null };

/** One reason for which an event belongs to an open case of its class. */
export interface JoinRule {
  name: string;
  /** How near the two are: 0 is the same thing, Infinity something else. The nearest case wins. */
  distance(event: EventData, candidate: Candidate): number;
}

/** Both name the component: the 16 digits decide, wherever the positions are, and as long as the case is open. */
export const sameComponent: JoinRule = {
  name: 'same-component',
  distance: (event, { place }) =>
    event.place.component !== undefined && event.place.component === place.component ? 0 : Number.POSITIVE_INFINITY,
};

/**
 * The error circles touch, and less than a day lies between their sightings: what went and came again is the same to the people who
 * have not dealt with it yet. Compared by the times of what happened, not of arrival, so that the order of arrival does not matter.
 */
export const samePlace: JoinRule = {
  name: 'same-place',
  distance(event, candidate) {
    if (otherComponent(event.place, candidate.place) || !withinADay(event, candidate)) return Number.POSITIVE_INFINITY;
    return touching(event.place, candidate.place);
  },
};

/**
 * The rules of joining, asked in this order. What spans more than a neighbourhood (a lamp circuit, a pressure
 * zone) will be a rule here, with keys of its own in `keys.ts`.
 */
export const JOIN_RULES: readonly JoinRule[] = [sameComponent, samePlace];

/** Decides where an event of a class goes, among the cases of the same class that share a key with it. */
export function join(event: EventData, candidates: readonly Candidate[]): Joining {
  const open = candidates.filter((c) => c.closedAt === null);
  for (const rule of JOIN_RULES) {
    const nearest = pick(open, (c) => rule.distance(event, c));
    if (nearest) return { to: 'case', id: nearest.id };
  }
  const past = pick(candidates, (c) => (wasOverBy(event, c.closedAt) ? sameThing(event, c) : Number.POSITIVE_INFINITY));
  if (past) return { to: 'past', id: past.id };
  const closed = candidates.filter((c) => recentlyClosed(event, c));
  const repeated = pick(closed, (c) => Math.min(sameComponent.distance(event, c), again(event, c)));
  return { to: 'new', recurrenceOf: repeated?.id ?? null };
}

const sameThing = (event: EventData, c: Candidate): number => Math.min(...JOIN_RULES.map((rule) => rule.distance(event, c)));

/**
 * Whether what comes late tells of nothing after that time: a second camera's view of what has been dealt with since. A camera whose
 * case is closed looks anew at what still stands, so that its last sight decides; a sensor's alarm stands until it clears.
 */
function wasOverBy({ clearedAt, lastSeenAt, origin }: EventData, at: number | null): boolean {
  if (at === null) return false;
  return (clearedAt ?? (origin.by === 'camera' ? lastSeenAt : Number.POSITIVE_INFINITY)) <= at;
}

/** The nearest; among equals the latest, then the smaller id, so that everybody picks the same. */
function pick(candidates: readonly Candidate[], distance: (c: Candidate) => number): Candidate | null {
  let best: Candidate | null = null;
  let bestM = Number.POSITIVE_INFINITY;
  for (const c of candidates) {
    const d = distance(c);
    if (d === Number.POSITIVE_INFINITY) continue;
    if (best === null || d < bestM || (d === bestM && isLater(c, best))) {
      best = c;
      bestM = d;
    }
  }
  return best;
}

function isLater(a: Candidate, b: Candidate): boolean {
  return a.lastSeenAt > b.lastSeenAt || (a.lastSeenAt === b.lastSeenAt && a.id < b.id);
}

function otherComponent(a: Place, b: Place): boolean {
  return a.component !== undefined && b.component !== undefined && a.component !== b.component;
}

function touching(a: Place, b: Place): number {
  const d = distanceM(a, b);
  return d <= a.errorRadiusM + b.errorRadiusM ? d : Number.POSITIVE_INFINITY;
}

function withinADay(event: EventData, c: Candidate): boolean {
  return event.startedAt - c.lastSeenAt < SEEN_MS_MAX && c.startedAt - event.lastSeenAt < SEEN_MS_MAX;
}

function recentlyClosed(event: EventData, c: Candidate): boolean {
  return c.closedAt !== null && event.startedAt - c.closedAt < RECURRENCE_MS_MAX;
}

function again(event: EventData, c: Candidate): number {
  return otherComponent(event.place, c.place) ? Number.POSITIVE_INFINITY : touching(event.place, c.place);
}
