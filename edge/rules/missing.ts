import { ACTIVE, NORMAL, type ThresholdStep } from './threshold.ts';

/**
 * Whether a device is silent, pure over given times. Between reports nothing is kept but the time of the last one, `heardAt`:
 *
 *   normal --heardAt is forS ago--> active --a report--> normal
 */
export type MissingState = typeof NORMAL | typeof ACTIVE;
const NOTHING: ThresholdStep['changes'] = [];

/** Time passes. */
export function onSilence(forS: number, state: MissingState, heardAt: number, now: number): ThresholdStep {
  const at = heardAt + forS * 1000;
  if (state.phase !== 'normal' || at > now) return { state, changes: NOTHING };
  return { state: ACTIVE, changes: [{ to: 'raised', since: heardAt, at }] };
}

/** A report came at `at`; the one before at `heardAt`. A silence that nobody has looked at meanwhile is told first. */
export function onHeard(forS: number, state: MissingState, heardAt: number, at: number): ThresholdStep {
  const due = onSilence(forS, state, heardAt, at);
  if (due.state.phase === 'normal') return due;
  return { state: NORMAL, changes: [...due.changes, { to: 'cleared', at }] };
}
