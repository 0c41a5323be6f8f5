import { setTimeout as pause } from 'node:timers/promises';
import { GewuError } from '#service/mod.ts';
import { MARKET_CALENDAR } from '../city/mod.ts';
import type { ApiClient } from '../target/mod.ts';

/** What the centre wants of an edge, as far as a permit touches it. */
interface Wanted {
  revision: number;
  status: string;
  state: State;
}
interface State {
  calendars?: Record<string, readonly string[]>;
}

const CONFIRMED_MS_MAX = 60_000;
const PROBE_MS = 200;
const TRIES_MAX = 5;
/** China has one; sites of a city say so. */
const UTC_OFFSET_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Puts today and tomorrow into the edges' calendar of market days, as an officer does who grants a permit, and waits until
 * every edge has confirmed it. Returns what takes it back: that alone, whatever else was changed meanwhile. When it fails, or
 * `abandon` comes, it is taken back at once. Throws GEWU_STORE_UNAVAILABLE.
 */
export async function permitMarket(
  api: ApiClient,
  edges: readonly string[],
  abandon?: AbortSignal,
): Promise<() => Promise<void>> {
  const days = [0, DAY_MS].map((ms) => new Date(Date.now() + UTC_OFFSET_MS + ms).toISOString().slice(0, 10));
  const before = new Map<string, readonly string[] | undefined>();
  const takeBack = async () => {
    for (const [edge, held] of before) {
      // Somebody else has decided since: that stands.
      const own = (state: State) => (isSame(state.calendars?.[MARKET_CALENDAR], days) ? withMarket(state, held) : null);
      await change(api, edge, own, 'the night market is over');
    }
  };
  try {
    for (const edge of edges) {
      const grant = (state: State) => {
        before.set(edge, state.calendars?.[MARKET_CALENDAR]);
        return withMarket(state, days);
      };
      await change(api, edge, grant, 'permit of a night market');
    }
    for (const edge of edges) await confirmed(api, edge, abandon);
  } catch (error) {
    await takeBack();
    throw error;
  }
  return takeBack;
}

function withMarket({ calendars, ...state }: State, days: readonly string[] | undefined): State {
  const { [MARKET_CALENDAR]: _, ...others } = calendars ?? {};
  const left = days === undefined ? others : { ...others, [MARKET_CALENDAR]: days };
  return Object.keys(left).length === 0 ? state : { ...state, calendars: left };
}

function isSame(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.join() === b.join();
}

/** On top of whatever is the newest revision, because an answer that did not come in time may have been stored all the same. Null: nothing is to be changed. */
async function change(api: ApiClient, edge: string, to: (state: State) => State | null, reason: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { revision, state } = await api.getPatiently<Wanted>(pathOf(edge));
    const next = to(state);
    if (next === null) return;
    try {
      await api.send('PUT', pathOf(edge), { revision, reason, state: next });
      return;
    } catch (error) {
      if (tries === TRIES_MAX) throw error;
    }
  }
}

async function confirmed(api: ApiClient, edge: string, abandon: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + CONFIRMED_MS_MAX;
  for (;;) {
    abandon?.throwIfAborted();
    const { status } = await api.getPatiently<Wanted>(pathOf(edge));
    if (status === 'confirmed') return;
    if (status === 'refused' || performance.now() > deadline)
      throw new GewuError('GEWU_STORE_UNAVAILABLE', `${edge} has not taken the permit of the night market: ${status}`);
    await pause(PROBE_MS);
  }
}

function pathOf(edge: string): string {
  return `/api/v1/edges/${edge}/desired`;
}
