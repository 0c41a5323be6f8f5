import { type FieldSpec, STUCK_REPORTS, STUCK_S_MIN } from '#grid/mod.ts';
import type { Fields } from './threshold.ts';

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

/**
 * The fields of a sample that no rule of the city may look at: those whose value cannot be, and all of its numbers where that is most of
 * them. One in other units has values that could be, too: of a lamp a thousand times too large 0.3 mA of leakage are 300. A sensor,
 * or a board of them, may fail beside others that are right.
 */
export function unbelieved(fields: Fields, implausible: readonly string[]): readonly string[] {
  if (implausible.length === 0) return implausible;
  const numbers = Object.keys(fields).filter((name) => typeof fields[name] === 'number');
  return 2 * implausible.length > numbers.length ? numbers : implausible;
}
