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
    const { revision, state } = await api.get<Wanted>(pathOf(edge));
    before.set(edge, state);
    const calendars = { ...state.calendars, [MARKET_CALENDAR]: days };
    await api.send('PUT', pathOf(edge), { revision, reason: 'permit of a night market', state: { ...state, calendars } });
  }
  for (const edge of edges) await confirmed(api, edge);
  return async () => {
    for (const [edge, state] of before) {
      const { revision } = await api.get<Wanted>(pathOf(edge));
      await api.send('PUT', pathOf(edge), { revision, reason: 'the night market is over', state });
    }
  };
}

async function confirmed(api: ApiClient, edge: string): Promise<void> {
  const deadline = performance.now() + CONFIRMED_MS_MAX;
  for (;;) {
    const { status } = await api.get<Wanted>(pathOf(edge));
    if (status === 'confirmed') return;
    if (status === 'refused' || performance.now() > deadline)
      throw new GewuError('GEWU_STORE_UNAVAILABLE', `${edge} has not taken the permit of the night market: ${status}`);
    await pause(PROBE_MS);
  }
}

function pathOf(edge: string): string {
  return `/api/v1/edges/${edge}/desired`;
}
