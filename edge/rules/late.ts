import type { ThresholdRule } from '#grid/mod.ts';
import { ACTIVE, type Fields, NORMAL, type ThresholdState, type ThresholdStep, transit } from './threshold.ts';

/** A sample that is older than this when it comes is history. Source: docs/domain/sensors.md section 4, rule 12. */
export const LATE_MS = 3_600_000;
const NOTHING: ThresholdStep['changes'] = [];

/**
 * Takes in a sample of long ago, at its own time. The clock gives no credit: a confirm or clear time is complete only when a
 * sample at or after its end says so too, for nobody watched in between.
 */
export function onLateSample(rule: ThresholdRule, state: ThresholdState, fields: Fields, ts: number): ThresholdStep {
  const next = transit(rule, state, fields, ts);
  if (next.phase === 'pending' && next.enoughAt !== null && next.since + rule.confirm.forS * 1000 <= ts)
    return { state: ACTIVE, changes: [{ to: 'raised', since: next.since, at: ts }] };
  if (next.phase === 'clearing' && next.clearSince + rule.clear.forS * 1000 <= ts)
    return { state: NORMAL, changes: [{ to: 'cleared', at: ts }] };
  return { state: next, changes: NOTHING };
}
