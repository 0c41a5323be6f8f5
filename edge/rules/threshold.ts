import type { Condition, ThresholdRule } from '#grid/mod.ts';

/**
 * One threshold rule on one device, pure over given times (ms of a clock that never goes back):
 *
 *   normal --when--> pending --forS and samples--> active --clear--> clearing --forS--> normal
 *      ^                |                            ^                  |
 *      +--not when------+                            +---not clear------+
 */
export type ThresholdState =
  | { phase: 'normal' }
  | { phase: 'pending'; since: number; samples: number; enoughAt: number | null }
  | { phase: 'active' }
  | { phase: 'clearing'; clearSince: number };

export const NORMAL: ThresholdState = { phase: 'normal' };
const ACTIVE: ThresholdState = { phase: 'active' };

export type Fields = Readonly<Record<string, number | boolean>>;

/** What a step brought about: `at` is the moment at which it became true, not the moment at which it was noticed. */
export type ThresholdChange = { to: 'raised'; since: number; at: number } | { to: 'cleared'; at: number };

export interface ThresholdStep {
  state: ThresholdState;
  /** In order. More than one when time was not looked at for a while, or where a confirm or clear time is zero. */
  changes: readonly ThresholdChange[];
}
const NOTHING: readonly ThresholdChange[] = [];

/** Takes in a sample: `fields` are the device's latest values. */
export function onSample(rule: ThresholdRule, state: ThresholdState, fields: Fields, now: number): ThresholdStep {
  // What became due before this sample came is decided first: the sample speaks only for the time after it.
  const due = onTick(rule, state, now);
  const after = onTick(rule, transit(rule, due.state, fields, now), now);
  return { state: after.state, changes: due.changes.length === 0 ? after.changes : [...due.changes, ...after.changes] };
}

/** Time passes: confirm and clear times that are complete take effect. */
export function onTick(rule: ThresholdRule, state: ThresholdState, now: number): ThresholdStep {
  if (state.phase === 'pending' && state.enoughAt !== null) {
    const at = Math.max(state.since + rule.confirm.forS * 1000, state.enoughAt);
    if (at <= now) return { state: ACTIVE, changes: [{ to: 'raised', since: state.since, at }] };
  }
  if (state.phase === 'clearing') {
    const at = state.clearSince + rule.clear.forS * 1000;
    if (at <= now) return { state: NORMAL, changes: [{ to: 'cleared', at }] };
  }
  return { state, changes: NOTHING };
}

function transit(rule: ThresholdRule, state: ThresholdState, fields: Fields, now: number): ThresholdState {
  switch (state.phase) {
    case 'normal':
      return holds(rule.when, fields) ? counted(rule, now, 1, now) : NORMAL;
    case 'pending':
      if (!holds(rule.when, fields)) return NORMAL;
      return state.enoughAt === null ? counted(rule, state.since, state.samples + 1, now) : state;
    case 'active':
      return holds(rule.clear.when, fields) ? { phase: 'clearing', clearSince: now } : state;
    case 'clearing':
      return holds(rule.clear.when, fields) ? state : ACTIVE;
  }
}

function counted(rule: ThresholdRule, since: number, samples: number, now: number): ThresholdState {
  return { phase: 'pending', since, samples, enoughAt: samples >= rule.confirm.samples ? now : null };
}

/** Whether all conditions hold. A field that the device has not sent yet fulfils nothing. */
export function holds(conditions: readonly Condition[], fields: Fields): boolean {
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
