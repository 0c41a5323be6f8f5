import type { GroupLimits } from '#grid/mod.ts';

/**
 * Whether one alarm of the members of a group is theirs or the group's, pure over given times:
 *
 *   apart --n members, or more than a share, within the window--> together --below half of it--> parting --for clearS--> apart
 *                                                                     ^------at least half--------'
 */
export interface GroupState {
  phase: 'apart' | 'together' | 'parting';
  /** Members whose alarm is active, and when it was raised. */
  active: ReadonlyMap<string, number>;
  /** While parting: since when too few are active. */
  fewSince: number;
}

export const APART: GroupState = { phase: 'apart', active: new Map(), fewSince: 0 };

/** `since` is when the first of those members was raised that made it the group's. */
export type GroupChange = { to: 'together'; since: number; at: number } | { to: 'apart'; at: number };

export interface GroupStep {
  state: GroupState;
  changes: readonly GroupChange[];
}
const NOTHING: readonly GroupChange[] = [];

export interface GroupTerms extends GroupLimits {
  /** All members, whether something is wrong with them or not. */
  size: number;
}

/** Members that make it the group's alarm; one alone never does. */
export function thresholdOf({ members, share, size }: Pick<GroupTerms, 'members' | 'share' | 'size'>): number {
  return Math.max(2, Math.min(members, Math.floor(share * size) + 1));
}

/** The alarm of a member was raised. */
export function onMemberRaised(terms: GroupTerms, state: GroupState, member: string, at: number): GroupStep {
  const due = onGroupTick(terms, state, at);
  const active = new Map(due.state.active).set(member, at);
  if (due.state.phase !== 'apart') return { state: counted(terms, { ...due.state, active }, at), changes: due.changes };
  const recent = [...active.values()].filter((t) => t > at - terms.windowS * 1000);
  if (recent.length < thresholdOf(terms)) return { state: { ...due.state, active }, changes: due.changes };
  const change: GroupChange = { to: 'together', since: Math.min(...recent), at };
  return { state: counted(terms, { ...due.state, phase: 'together', active }, at), changes: [...due.changes, change] };
}

/** The alarm of a member has cleared. */
export function onMemberCleared(terms: GroupTerms, state: GroupState, member: string, at: number): GroupStep {
  const due = onGroupTick(terms, state, at);
  const active = new Map(due.state.active);
  active.delete(member);
  return { state: counted(terms, { ...due.state, active }, at), changes: due.changes };
}

/** Time passes. */
export function onGroupTick(terms: GroupTerms, state: GroupState, now: number): GroupStep {
  if (state.phase !== 'parting') return { state, changes: NOTHING };
  const at = state.fewSince + terms.clearS * 1000;
  return at <= now ? { state: { ...state, phase: 'apart' }, changes: [{ to: 'apart', at }] } : { state, changes: NOTHING };
}

function counted(terms: GroupTerms, state: GroupState, now: number): GroupState {
  const few = state.active.size < thresholdOf(terms) / 2;
  if (state.phase === 'together' && few) return { ...state, phase: 'parting', fewSince: now };
  return state.phase === 'parting' && !few ? { ...state, phase: 'together' } : state;
}

/** The same state on another clock; none of its times after `max`. */
export function movedGroup(state: GroupState, byMs: number, max = Number.MAX_SAFE_INTEGER): GroupState {
  const move = (ms: number) => Math.min(max, ms + byMs);
  const active = new Map([...state.active].map(([id, at]) => [id, move(at)]));
  return { phase: state.phase, active, fewSince: state.phase === 'parting' ? move(state.fewSince) : 0 };
}
