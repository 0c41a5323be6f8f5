import type { StormLimits } from '#grid/mod.ts';

/**
 * Whether alarms of one unit grid come too fast to be told one by one, pure over the times at which they were raised:
 *
 *   calm --more than n within the window--> storm --no more than half of it within the window--> calm
 */
export interface StormState {
  phase: 'calm' | 'storm';
  /** Ascending, the last ones, as many as decide. */
  times: readonly number[];
}

export const CALM: StormState = { phase: 'calm', times: [] };

export type StormChange = { to: 'storm'; since: number; at: number } | { to: 'calm'; at: number };

export interface StormStep {
  state: StormState;
  changes: readonly StormChange[];
}
const NOTHING: readonly StormChange[] = [];

/** An alarm that is not critical was raised. It belongs to the storm when the state is one afterwards. */
export function onRaised(limits: StormLimits, state: StormState, at: number): StormStep {
  const due = onStormTick(limits, state, at);
  const times = [...due.state.times, at].sort((a, b) => a - b).slice(-limits.raises - 1);
  const last = times.at(-1) as number;
  const recent = times.filter((t) => t > last - limits.windowS * 1000);
  if (due.state.phase === 'storm' || recent.length <= limits.raises)
    return { state: { ...due.state, times: recent }, changes: due.changes };
  const change: StormChange = { to: 'storm', since: recent[0] as number, at: last };
  return { state: { phase: 'storm', times: recent }, changes: [...due.changes, change] };
}

/** Time passes. */
export function onStormTick(limits: StormLimits, state: StormState, now: number): StormStep {
  if (state.phase === 'calm') return { state, changes: NOTHING };
  // The one whose leaving of the window brings the number down to half.
  const deciding = state.times.at(-1 - Math.floor(limits.raises / 2));
  const at = deciding === undefined ? now : deciding + limits.windowS * 1000;
  return at <= now ? { state: { ...state, phase: 'calm' }, changes: [{ to: 'calm', at }] } : { state, changes: NOTHING };
}

/** How many may be raised at `now` without a storm. */
export function roomAt(limits: StormLimits, { times }: StormState, now: number): number {
  return limits.raises - times.filter((t) => t > now - limits.windowS * 1000).length;
}

/** The same state on another clock; none of its times after `max`. */
export function movedStorm(state: StormState, byMs: number, max = Number.MAX_SAFE_INTEGER): StormState {
  return { ...state, times: state.times.map((t) => Math.min(max, t + byMs)) };
}
