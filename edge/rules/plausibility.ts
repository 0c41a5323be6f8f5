import { type FieldSpec, STUCK_REPORTS, STUCK_S_MIN } from '#grid/mod.ts';

/**
 * What the reports of one field say about its sensor, pure over given times. Source: docs/domain/sensors.md section 4, rule 5.
 * Nothing of it is kept across restarts: a sensor that is stuck shows it again.
 */
export interface FieldHistory {
  /** The last value that could be. */
  value: number;
  /** Reports in a row with exactly this value, and the time of the first. */
  reports: number;
  since: number;
  /** The last value, when it could not be: a second one near it is a new level and no jump. */
  outlier: number | null;
  verdict: FieldVerdict;
}
export type FieldVerdict = 'right' | 'stuck' | 'jump';

/** Whether there is anything to look at. */
export const isWatched = (spec: FieldSpec): boolean =>
  spec.type === 'number' && (spec.noisy === true || spec.jumpMax !== undefined);

/** A report of the field, inside its range. */
export function onValue(spec: FieldSpec, before: FieldHistory | undefined, value: number, now: number): FieldHistory {
  if (before === undefined) return { value, reports: 1, since: now, outlier: null, verdict: 'right' };
  if (value === before.value) {
    const reports = before.reports + 1;
    const stuck = isNoisy(spec, value) && reports >= STUCK_REPORTS && now - before.since >= STUCK_S_MIN * 1000;
    return { value, reports, since: before.since, outlier: null, verdict: stuck ? 'stuck' : 'right' };
  }
  const { jumpMax } = spec;
  if (jumpMax !== undefined && Math.abs(value - before.value) > jumpMax) {
    const levelled = before.outlier !== null && Math.abs(value - before.outlier) <= jumpMax;
    if (!levelled) return { ...before, outlier: value, verdict: 'jump' };
  }
  return { value, reports: 1, since: now, outlier: null, verdict: 'right' };
}

/** At the end of its range a value is cut off, and the noise with it. */
function isNoisy(spec: FieldSpec, value: number): boolean {
  return spec.noisy === true && value !== spec.min && value !== spec.max;
}
