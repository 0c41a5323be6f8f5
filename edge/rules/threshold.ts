import type { Condition, ThresholdRule } from '#grid/mod.ts';

/**
 * One threshold rule on one device, pure over given times:
 *
 *   normal --when--> pending --forS and samples--> active --clear--> clearing --forS--> normal
 *      ^                |                            ^                  |
 *      +--not when------+                            +---not clear------+
 */
export type ThresholdState =
  | { phase: 'normal' }
  | { phase: 'pending'; since: number; samples: number; enoughAt: number | null }
  | { phase: 'active'; since: number; confirmedAt: number }
  | { phase: 'clearing'; since: number; confirmedAt: number; clearSince: number };

export const NORMAL: ThresholdState = { phase: 'normal' };

export type Fields = Readonly<Record<string, number | boolean>>;

/** What a step brought about: `at` is the moment at which it became true, not the moment at which it was noticed. */
export type ThresholdChange = { to: 'raised' | 'cleared'; at: number } | null;

export interface ThresholdStep {
  state: ThresholdState;
  change: ThresholdChange;
}

/** Takes in a sample: `fields` are the device's latest values. `now` never goes back. */
export function onSample(rule: ThresholdRule, state: ThresholdState, fields: Fields, now: number): ThresholdStep {
  // What became due before this sample came is decided first: the sample speaks only for the time after it.
  const due = onTick(rule, state, now);
  const next = transit(rule, due.state, fields, now);
  const after = onTick(rule, next, now);
  return { state: after.state, change: after.change ?? due.change };
}

/** Time passes: confirm and clear times that are complete take effect. */
export function onTick(rule: ThresholdRule, state: ThresholdState, now: number): ThresholdStep {
  if (state.phase === 'pending' && state.enoughAt !== null) {
    const at = Math.max(state.since + rule.confirm.forS * 1000, state.enoughAt);
    if (at <= now) return { state: { phase: 'active', since: state.since, confirmedAt: at }, change: { to: 'raised', at } };
  }
  if (state.phase === 'clearing') {
    const at = state.clearSince + rule.clear.forS * 1000;
    if (at <= now) return { state: NORMAL, change: { to: 'cleared', at } };
  }
  return { state, change: null };
}

function transit(rule: ThresholdRule, state: ThresholdState, fields: Fields, now: number): ThresholdState {
  switch (state.phase) {
    case 'normal':
    case 'pending': {
      if (!holds(rule.when, fields)) return NORMAL;
      const since = state.phase === 'pending' ? state.since : now;
      const samples = (state.phase === 'pending' ? state.samples : 0) + 1;
      const enough = state.phase === 'pending' ? state.enoughAt : null;
      return { phase: 'pending', since, samples, enoughAt: enough ?? (samples >= rule.confirm.samples ? now : null) };
    }
    case 'active':
      return holds(rule.clear.when, fields) ? { ...state, phase: 'clearing', clearSince: now } : state;
    case 'clearing':
      return holds(rule.clear.when, fields) ? state : { phase: 'active', since: state.since, confirmedAt: state.confirmedAt };
  }
}

/** A field that the device has not sent yet fulfils nothing. */
function holds(conditions: readonly Condition[], fields: Fields): boolean {
  return conditions.every((c) => {
    const value = fields[c.field];
    return value !== undefined && compare(value, c);
  });
}

function compare(value: number | boolean, { op, value: limit }: Condition): boolean {
  switch (op) {
    case 'eq':
      return value === limit;
    case 'ne':
      return value !== limit;
    case 'gt':
      return value > limit;
    case 'ge':
      return value >= limit;
    case 'lt':
      return value < limit;
    case 'le':
      return value <= limit;
  }
}
