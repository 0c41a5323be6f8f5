import { setTimeout as pause } from 'node:timers/promises';
import { GewuError } from '#service/mod.ts';
import { MARKET_CALENDAR } from '../city/mod.ts';
import type { ApiClient } from '../target/mod.ts';

/** What the centre wants of an edge, as far as a permit touches it. */
interface Wanted {
  revision: number;
  status: string;
  state: { calendars?: Record<string, readonly string[]> };
}

const CONFIRMED_MS_MAX = 60_000;
const PROBE_MS = 200;
const TRIES_MAX = 5;
/** China has one; sites of a city say so. */
const UTC_OFFSET_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Puts today and tomorrow into the edges' calendar of market days, as an officer does who grants a permit, and waits until
 * every edge has confirmed it. Returns what takes it back. Throws GEWU_STORE_UNAVAILABLE.
 */
export async function permitMarket(api: ApiClient, edges: readonly string[]): Promise<() => Promise<void>> {
  const days = [0, DAY_MS].map((ms) => new Date(Date.now() + UTC_OFFSET_MS + ms).toISOString().slice(0, 10));
  const before = new Map<string, Wanted['state']>();
  for (const edge of edges) {
    const { state } = await api.getPatiently<Wanted>(pathOf(edge));
    before.set(edge, state);
    const calendars = { ...state.calendars, [MARKET_CALENDAR]: days };
    await set(api, edge, { ...state, calendars }, 'permit of a night market');
  }
  for (const edge of edges) await confirmed(api, edge);
  return async () => {
    for (const [edge, state] of before) await set(api, edge, state, 'the night market is over');
  };
}

/** On top of whatever is the newest revision: an answer that did not come in time may have been stored all the same. */
async function set(api: ApiClient, edge: string, state: Wanted['state'], reason: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { revision } = await api.getPatiently<Wanted>(pathOf(edge));
    try {
      await api.send('PUT', pathOf(edge), { revision, reason, state });
      return;
    } catch (error) {
      if (tries === TRIES_MAX) throw error;
    }
  }
}

async function confirmed(api: ApiClient, edge: string): Promise<void> {
  const deadline = performance.now() + CONFIRMED_MS_MAX;
  for (;;) {
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
