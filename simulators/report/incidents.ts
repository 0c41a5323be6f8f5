import { type Case, classKey, distanceM } from '#grid/mod.ts';
import { MATCH_LIMITS, matchBySource, type SeenCase, type StagedTruth } from './match.ts';
import type { IncidentOutcome } from './outcome.ts';

/** What a run staged, and what the city knew before it. */
export interface Staging {
  /** What must become a case, and what may. */
  due: readonly StagedTruth[];
  possible: readonly StagedTruth[];
  /** Cases that were open before the run: the same again makes no new one. */
  open: readonly Pick<Case, 'class' | 'place'>[];
  /** Components of devices that were made to be wrong, and what may be said of each, by keys of FAULTS. */
  faulty: ReadonlyMap<string, readonly string[]>;
  /** When the run began, UTC ms: what a case says to have begun before is nobody's false alarm here. */
  since: number;
}

/** What became of each thing that was staged, and what each case was that nothing staged accounts for. Pure. */
export function incidentOutcomes({ due, possible, open, faulty, since }: Staging, seen: readonly SeenCase[]): IncidentOutcome[] {
  const known = due.filter((t) => open.some((c) => isSameComponent(t, c)));
  const found = bothSources(
    due.filter((t) => !known.includes(t)),
    seen,
  );
  // Without a component the place decides, and places are not exact: what has a case of its own is found, however near an old one is.
  const [again, missed] = split(found.missing, (t) => open.some((c) => isSamePlace(t, c)));
  const isToldRightly = ({ class: c, place }: SeenCase['case']) =>
    'fault' in c && (faulty.get(place.component ?? '')?.includes(c.fault ?? '') ?? false);
  const perhaps = bothSources(possible, found.unfounded);
  const [wrong, rest] = split(perhaps.unfounded, ({ case: c }) => isToldRightly(c));
  const unfounded = rest.filter(({ case: c }) => c.startedAt >= since - MATCH_LIMITS.beforeMs);
  return [
    ...found.pairs.map((p) => staged('detected', p.staged, p.latencyMs)),
    ...missed.map((t) => staged('missed', t)),
    ...[...known, ...again].map((t) => staged('repeat', t)),
    ...perhaps.pairs.map((p) => staged('possible', p.staged)),
    ...wrong.map((s) => unstaged('faulty device', s)),
    ...unfounded.map((s) => unstaged('false alarm', s)),
  ];
}

function bothSources(truths: readonly StagedTruth[], seen: readonly SeenCase[]) {
  const { sensor, camera } = matchBySource(truths, seen);
  return {
    pairs: [...sensor.pairs, ...camera.pairs],
    missing: [...sensor.missing, ...camera.missing],
    unfounded: [...sensor.unfounded, ...camera.unfounded],
  };
}

function split<T>(all: readonly T[], is: (each: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((each) => !is(each))];
}

type OpenCase = Staging['open'][number];

function isSameComponent(t: StagedTruth, { class: c, place }: OpenCase): boolean {
  return t.component !== undefined && t.component === place.component && classKey(t.class) === classKey(c);
}

function isSamePlace(t: StagedTruth, { class: c, place }: OpenCase): boolean {
  if (classKey(t.class) !== classKey(c)) return false;
  if (t.component !== undefined && place.component !== undefined) return false;
  return distanceM(t, place) <= MATCH_LIMITS.withinM;
}

function staged(outcome: IncidentOutcome['outcome'], t: StagedTruth, delayMs: number | null = null): IncidentOutcome {
  return { id: t.id, source: t.source, class: classKey(t.class), outcome, delayMs };
}

function unstaged(outcome: IncidentOutcome['outcome'], { case: c }: SeenCase): IncidentOutcome {
  return { id: c.id, source: c.source === 'camera' ? 'camera' : 'sensor', class: classKey(c.class), outcome, delayMs: null };
}
