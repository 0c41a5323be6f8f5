import { type Case, classKey, distanceM, type EventClass } from '#grid/mod.ts';

/** One thing that the simulators staged, as it was. Times are UTC ms. */
export interface StagedTruth {
  id: string;
  source: 'sensor' | 'camera';
  class: EventClass;
  /** Where one component is meant, 16 digits. */
  component?: string;
  lon: number;
  lat: number;
  /** Complete and wrong from then until then. */
  standsFrom: number;
  standsTo: number;
  /** Confirm or dwell time of the rule in force. */
  confirmMs: number;
}

/** A case as the API gave it, and the first moment, UTC ms, at which it did. */
export interface SeenCase {
  case: Pick<Case, 'id' | 'class' | 'source' | 'place' | 'startedAt' | 'confirmedAt'>;
  readableAt: number;
}

export interface MatchLimits {
  /** Between the staged place and the case's, metres. */
  withinM: number;
  /** A case may say that it began so long before the thing stood complete: one sees a heap before it is one. */
  beforeMs: number;
  /** And so long after the thing was gone. */
  afterMs: number;
}

export const MATCH_LIMITS: MatchLimits = { withinM: 10, beforeMs: 3_000, afterMs: 10_000 };

export interface Pair {
  staged: StagedTruth;
  seen: SeenCase;
  offM: number;
  /** From the moment the confirm time was complete to the case being readable; never below 0. */
  latencyMs: number;
}

export interface SourceReport {
  staged: number;
  detected: number;
  missed: number;
  falseAlarms: number;
}

export interface MatchReport extends SourceReport {
  pairs: Pair[];
  missing: StagedTruth[];
  unfounded: SeenCase[];
}

/**
 * Holds cases against what was staged, one to one: same source, same class, same component where both name one, near enough
 * and in time. As many as possible are paired, the nearest tried first. What is left over was missed, or is a false alarm,
 * duplicates too.
 */
export function matchIncidents(
  staged: readonly StagedTruth[],
  cases: readonly SeenCase[],
  limits: MatchLimits = MATCH_LIMITS,
): MatchReport {
  const choices = staged.map((s) =>
    cases
      .map((seen, index) => ({ index, cost: costOf(s, seen, limits) }))
      .filter((c) => c.cost !== Number.POSITIVE_INFINITY)
      .sort((a, b) => a.cost - b.cost),
  );
  const taken = assign(choices, cases.length);
  const pairs = staged.flatMap((s, i): Pair[] => {
    const at = taken.indexOf(i);
    const seen = cases[at];
    return seen === undefined ? [] : [pairOf(s, seen)];
  });
  const found = new Set(pairs.map((p) => p.staged));
  const missing = staged.filter((s) => !found.has(s));
  const unfounded = cases.filter((_, i) => taken[i] === -1);
  return {
    staged: staged.length,
    detected: pairs.length,
    missed: missing.length,
    falseAlarms: unfounded.length,
    pairs,
    missing,
    unfounded,
  };
}

/** Source by source, for cases that sensors and cameras opened; others are nobody's false alarms. */
export function matchBySource(
  staged: readonly StagedTruth[],
  cases: readonly SeenCase[],
  limits: MatchLimits = MATCH_LIMITS,
): Record<StagedTruth['source'], MatchReport> {
  const of = (source: StagedTruth['source']) =>
    matchIncidents(
      staged.filter((s) => s.source === source),
      cases.filter((c) => c.case.source === source),
      limits,
    );
  return { sensor: of('sensor'), camera: of('camera') };
}

/** Infinity when the case cannot be of the thing; else metres and seconds off, one second as much as one metre. */
function costOf(staged: StagedTruth, { case: c }: SeenCase, { withinM, beforeMs, afterMs }: MatchLimits): number {
  const not = Number.POSITIVE_INFINITY;
  if (c.source !== staged.source || classKey(c.class) !== classKey(staged.class)) return not;
  if (staged.component !== undefined && c.place.component !== undefined && c.place.component !== staged.component) return not;
  const offM = distanceM(c.place, staged);
  if (offM > withinM) return not;
  const inTime = (at: number) => at >= staged.standsFrom - beforeMs && at <= staged.standsTo + afterMs;
  if (!inTime(c.startedAt) && !inTime(c.confirmedAt)) return not;
  return offM + Math.abs(c.startedAt - staged.standsFrom) / 1000;
}

interface Choice {
  index: number;
  cost: number;
}

/**
 * The largest assignment (augmenting paths, Kuhn), cheap pairs first. Returns for each case the staged thing's number or -1.
 * A greedy choice would give a case that fits two things to the wrong one, and call the other missed.
 */
function assign(choices: readonly (readonly Choice[])[], cases: number): number[] {
  const taken = new Array<number>(cases).fill(-1);
  const tryGive = (staged: number, asked: Set<number>): boolean => {
    for (const { index } of choices[staged] ?? []) {
      if (asked.has(index)) continue;
      asked.add(index);
      const holder = taken[index] as number;
      if (holder === -1 || tryGive(holder, asked)) {
        taken[index] = staged;
        return true;
      }
    }
    return false;
  };
  const cheapest = (i: number) => choices[i]?.[0]?.cost ?? Number.POSITIVE_INFINITY;
  const order = choices.map((_, i) => i).sort((a, b) => cheapest(a) - cheapest(b));
  for (const staged of order) tryGive(staged, new Set());
  return taken;
}

function pairOf(staged: StagedTruth, seen: SeenCase): Pair {
  const dueAt = staged.standsFrom + staged.confirmMs;
  return { staged, seen, offM: distanceM(seen.case.place, staged), latencyMs: Math.max(0, seen.readableAt - dueAt) };
}
