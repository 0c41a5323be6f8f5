import type { FlappingLimits } from '#grid/mod.ts';

/**
 * Whether one device can be believed, pure over the times at which its alarms were raised or cleared:
 *
 *   steady --more than n transitions within the window--> unstable --a whole window without one--> steady
 *
 * Transitions may be told a little out of order: they become true before they are noticed.
 */
export type FlapState =
  /** Ascending; no more than the limit, and those that are too old go with the next one. */
  { phase: 'steady'; times: readonly number[] } | { phase: 'unstable'; last: number };

export const STEADY: FlapState = { phase: 'steady', times: [] };

export type FlapChange = { to: 'unstable'; since: number; at: number } | { to: 'steady'; at: number };

export interface FlapStep {
  state: FlapState;
  changes: readonly FlapChange[];
}
const NOTHING: readonly FlapChange[] = [];

/** An alarm of the device was raised or cleared. */
export function onTransition(limits: FlappingLimits, state: FlapState, at: number): FlapStep {
  const due = onQuiet(limits, state, at);
  if (due.state.phase === 'unstable') return { ...due, state: { phase: 'unstable', last: Math.max(due.state.last, at) } };
  const times = [...due.state.times, at].sort((a, b) => a - b);
  const last = times.at(-1) as number;
  const recent = times.filter((t) => t > last - limits.windowS * 1000);
  if (recent.length <= limits.transitions) return { state: { phase: 'steady', times: recent }, changes: due.changes };
  const change: FlapChange = { to: 'unstable', since: recent[0] as number, at: last };
  return { state: { phase: 'unstable', last }, changes: [...due.changes, change] };
}

/** Time passes. */
export function onQuiet(limits: FlappingLimits, state: FlapState, now: number): FlapStep {
  if (state.phase === 'steady') return { state, changes: NOTHING };
  const at = state.last + limits.windowS * 1000;
  return at <= now ? { state: STEADY, changes: [{ to: 'steady', at }] } : { state, changes: NOTHING };
}

/** The same state on another clock; none of its times after `max`. */
export function movedFlap(state: FlapState, byMs: number, max = Number.MAX_SAFE_INTEGER): FlapState {
  const move = (ms: number) => Math.min(max, ms + byMs);
  return state.phase === 'steady' ? { ...state, times: state.times.map(move) } : { ...state, last: move(state.last) };
}
