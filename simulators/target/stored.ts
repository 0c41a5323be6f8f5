import { setTimeout as pause } from 'node:timers/promises';
import { isGewuError } from '#service/mod.ts';
import type { ApiClient } from './api.ts';

/** Points in one answer of the API, at most. */
const POINTS_MAX = 20_000;

interface RawAnswer {
  points: { ts: number; fields: Record<string, number | boolean> }[];
  truncated: boolean;
}

/** A centre that is busy says so; it is asked again after a pause, for so long. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

async function getPatiently<T>(api: ApiClient, path: string): Promise<T> {
  for (const since = performance.now(); ; ) {
    try {
      return await api.get<T>(path);
    } catch (error) {
      const again = isGewuError(error) && error.remedy === 'retry' && performance.now() - since < PATIENCE_MS;
      if (!again) throw error;
      await pause(PAUSE_MS);
    }
  }
}

/** Everything that the time series has of one device in [from, to), page by page. Throws GEWU_STORE_UNAVAILABLE. */
export async function storedPoints(
  api: ApiClient,
  device: string,
  { from: first, to, fields }: { from: number; to: number; fields: readonly string[] },
): Promise<RawAnswer['points']> {
  const all: RawAnswer['points'] = [];
  for (let from = first; ; ) {
    const path = `/api/v1/readings?device=${device}&from=${from}&to=${to}&resolution=raw&limit=${POINTS_MAX}&fields=${fields.join(',')}`;
    const { points, truncated } = await getPatiently<RawAnswer>(api, path);
    all.push(...points);
    const last = points.at(-1);
    if (!truncated || last === undefined) return all;
    from = last.ts + 1;
  }
}

export async function storedCount(api: ApiClient, { from, to }: { from: number; to: number }): Promise<number> {
  return (await getPatiently<{ count: number }>(api, `/api/v1/readings/count?from=${from}&to=${to}`)).count;
}
