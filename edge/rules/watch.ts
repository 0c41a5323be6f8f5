import type { ThresholdRule } from '#grid/mod.ts';
import type { Clock } from '#service/mod.ts';
import type { RegisteredDevice } from '../registry.ts';
import { NORMAL, type ThresholdState } from './threshold.ts';

/** An event that was raised and has not cleared. Times are UTC ms. */
export interface OpenEvent {
  event: string;
  revision: number;
  startedAt: number;
  confirmedAt: number;
  /** The last revision left at. */
  updatedAt: number;
}

/** One rule on one device. Times inside `state` are monotonic, so that nobody who sets the clock moves a confirm time. */
export interface Watch {
  device: RegisteredDevice;
  rule: ThresholdRule;
  /** Where its state stands in the outbox's file. */
  key: string;
  /** The fields that its conditions read. */
  fields: readonly string[];
  state: ThresholdState;
  open: OpenEvent | null;
  /** Value of the rule's first field when the condition last held, and UTC ms of that. */
  value: number | boolean;
  seenAt: number;
  /** Revisions that wait for the disk, and whether the state beside them changed. */
  unsaved: Buffer[];
  dirty: boolean;
  saving: Promise<void> | null;
}

/** What is kept across restarts; times are UTC ms. */
interface StoredWatch {
  state: ThresholdState;
  open: OpenEvent | null;
  value: number | boolean;
  seenAt: number;
}

export const keyOf = (device: string, rule: string) => `rule/${device}/${rule}`;

export function createWatch(device: RegisteredDevice, rule: ThresholdRule): Watch {
  const fields = [...new Set([...rule.when, ...rule.clear.when].map((c) => c.field))];
  const key = keyOf(device.device.id, rule.id);
  return {
    device,
    rule,
    key,
    fields,
    state: NORMAL,
    open: null,
    value: false,
    seenAt: 0,
    unsaved: [],
    dirty: false,
    saving: null,
  };
}

/** The line that is kept for a watch; null when there is nothing to keep. */
export function storedWatch({ state, open, value, seenAt }: Watch, clock: Clock): string | null {
  if (state.phase === 'normal') return null;
  const stored: StoredWatch = { state: shifted(state, toUtc(clock)), open, value, seenAt };
  return JSON.stringify(stored);
}

/** Takes up what an earlier life of the node had seen. A line that does not fit is as good as none. */
export function restoreWatch(watch: Watch, text: string, clock: Clock): void {
  const stored = parse(text);
  // Active without an event, or the other way round, cannot be gone on from.
  if (stored === null || (stored.open !== null) !== (stored.state.phase === 'active' || stored.state.phase === 'clearing'))
    return;
  const now = clock.monotonic();
  // A clock that was set back in between must not put the beginning into the future.
  watch.state = shifted(stored.state, -toUtc(clock), now);
  watch.open = stored.open;
  watch.value = stored.value;
  watch.seenAt = stored.seenAt;
}

/** What makes UTC ms of the monotonic ms of now. */
export const toUtc = (clock: Clock): number => clock.now() - clock.monotonic();

function shifted(state: ThresholdState, byMs: number, max = Number.MAX_SAFE_INTEGER): ThresholdState {
  const move = (ms: number) => Math.min(max, ms + byMs);
  if (state.phase === 'pending')
    return { ...state, since: move(state.since), enoughAt: state.enoughAt === null ? null : move(state.enoughAt) };
  return state.phase === 'clearing' ? { ...state, clearSince: move(state.clearSince) } : state;
}

const PHASES = ['pending', 'active', 'clearing'];

function parse(text: string): StoredWatch | null {
  try {
    const stored = JSON.parse(text) as StoredWatch;
    return PHASES.includes(stored.state.phase) ? stored : null;
  } catch {
    return null;
  }
}
