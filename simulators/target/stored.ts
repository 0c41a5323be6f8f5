import type { ApiClient } from './api.ts';

/** Points in one answer of the API, at most. */
const POINTS_MAX = 20_000;

interface RawAnswer {
  points: { ts: number; fields: Record<string, number | boolean> }[];
  truncated: boolean;
}

/** Everything that the time series has of one device in [from, to), page by page; all fields where none are named. Throws GEWU_STORE_UNAVAILABLE. */
export async function storedPoints(
  api: ApiClient,
  device: string,
  { from: first, to, fields }: { from: number; to: number; fields?: readonly string[] },
): Promise<RawAnswer['points']> {
  const all: RawAnswer['points'] = [];
  const only = fields === undefined ? '' : `&fields=${fields.join(',')}`;
  for (let from = first; ; ) {
    const path = `/api/v1/readings?device=${device}&from=${from}&to=${to}&resolution=raw&limit=${POINTS_MAX}${only}`;
    const { points, truncated } = await api.getPatiently<RawAnswer>(path);
    all.push(...points);
    const last = points.at(-1);
    if (!truncated || last === undefined) return all;
    from = last.ts + 1;
  }
}

export async function storedCount(api: ApiClient, { from, to }: { from: number; to: number }): Promise<number> {
  return (await api.getPatiently<{ count: number }>(`/api/v1/readings/count?from=${from}&to=${to}`)).count;
}
