import type { Condition, ThresholdRule } from '#grid/mod.ts';

/**
 * One threshold rule on one device, pure over given times (ms of a clock that never goes back):
 *
 *   normal --when--> pending --forS and samples--> active --clear--> clearing --forS--> normal
 *      ^                |                            ^                  |
 *      +--not when------+                            +---not clear------+
 */
export type ThresholdState = { phase: 'normal' } | Pending | { phase: 'active' } | { phase: 'clearing'; clearSince: number };

/**
 * `samples` have said so, and from `enoughAt` on they were as many as wanted. Under a rule of n among the last m, `recent` holds
 * those last ones from the first wrong one on: the time of a wrong sample, null for another; `since` is then the first wrong one
 * of those that made it n, and stays while they are n.
 */
export interface Pending {
  phase: 'pending';
  since: number;
  samples: number;
  enoughAt: number | null;
  recent?: readonly (number | null)[];
}

export const NORMAL: ThresholdState = { phase: 'normal' };
export const ACTIVE: ThresholdState = { phase: 'active' };

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

/** What a sample alone does; times that are complete are `onTick`'s. */
export function transit(rule: ThresholdRule, state: ThresholdState, fields: Fields, now: number): ThresholdState {
  switch (state.phase) {
    case 'normal':
      return holds(rule.when, fields) ? pending(rule, null, true, now) : NORMAL;
    case 'pending':
      return pending(rule, state, holds(rule.when, fields), now);
    case 'active':
      return holds(rule.clear.when, fields) ? { phase: 'clearing', clearSince: now } : state;
    case 'clearing':
      return holds(rule.clear.when, fields) ? state : ACTIVE;
  }
}

function pending({ confirm }: ThresholdRule, before: Pending | null, wrong: boolean, now: number): ThresholdState {
  if (confirm.of !== undefined) return amongRecent(confirm.samples, confirm.of, before, wrong, now);
  if (!wrong) return NORMAL;
  if (before !== null && before.enoughAt !== null) return before;
  const samples = (before?.samples ?? 0) + 1;
  return { phase: 'pending', since: before?.since ?? now, samples, enoughAt: samples >= confirm.samples ? now : null };
}

function amongRecent(wanted: number, of: number, before: Pending | null, wrong: boolean, now: number): ThresholdState {
  const kept = [...(before?.recent ?? []), wrong ? now : null].slice(-of);
  const first = kept.findIndex((t) => t !== null);
  if (first < 0) return NORMAL;
  const recent = kept.slice(first);
  const samples = recent.reduce((sum: number, t) => (t === null ? sum : sum + 1), 0);
  const since = recent[0] as number;
  if (samples < wanted) return { phase: 'pending', since, samples, enoughAt: null, recent };
  if (before === null || before.enoughAt === null) return { phase: 'pending', since, samples, enoughAt: now, recent };
  return { ...before, samples, recent };
}

/** The same state on another clock; none of its times after `max`. */
export function movedThreshold(state: ThresholdState, byMs: number, max = Number.MAX_SAFE_INTEGER): ThresholdState {
  const move = (ms: number) => Math.min(max, ms + byMs);
  if (state.phase === 'clearing') return { ...state, clearSince: move(state.clearSince) };
  if (state.phase !== 'pending') return state;
  return {
    ...state,
    since: move(state.since),
    enoughAt: state.enoughAt === null ? null : move(state.enoughAt),
    ...(state.recent === undefined ? {} : { recent: state.recent.map((t) => (t === null ? null : move(t))) }),
  };
}

/** Whether all conditions hold. A field that the device has not sent yet fulfils nothing. */
export function holds(conditions: readonly Condition[], fields: Fields): boolean {
  for (const c of conditions) {
    const value = fields[c.field];
    if (value === undefined || !compare(value, c)) return false;
  }
  return true;
}

/** Whether nobody can say yet: a field is unknown, and what is known fulfils its conditions. */
export function isUndecided(conditions: readonly Condition[], fields: Fields): boolean {
  let unknown = false;
  for (const c of conditions) {
    const value = fields[c.field];
    if (value === undefined) unknown = true;
    else if (!compare(value, c)) return false;
  }
  return unknown;
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
