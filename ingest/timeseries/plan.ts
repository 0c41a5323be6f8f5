import { ceilTo, floorTo } from './aggregate.ts';
import type { RetentionConfig } from './config.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './store.ts';

/** A range query that was checked: nothing in it needs escaping. */
export interface CheckedRange {
  device: string;
  fields: readonly string[] | null;
  from: number;
  to: number;
  resolution: 'raw' | '1m' | '1h' | 'auto';
  limit: number;
}

/** What is read: raw, or the roll-up `base` in buckets of `bucketMs`, whole buckets in `[from, to)`. */
export type RangePlan =
  | { resolution: 'raw'; from: number; to: number }
  | { resolution: '1m' | '1h'; base: number; bucketMs: number; from: number; to: number };

/**
 * Chooses what to read. `auto`: raw if raw goes back that far and is few enough, else minutes, else hours, else several
 * hours a bucket. `countRaw` is asked for raw readings in the range, counted up to limit + 1.
 */
export async function planRange(
  q: CheckedRange,
  { now, retention, countRaw }: { now: number; retention: RetentionConfig; countRaw: () => Promise<number> },
): Promise<RangePlan> {
  if (q.resolution === 'raw') return { resolution: 'raw', from: q.from, to: q.to };
  if (q.resolution === '1m') return buckets('1m', MINUTE_MS, 1, q);
  if (q.resolution === '1h') return buckets('1h', HOUR_MS, 1, q);
  if (q.from >= now - retention.rawDays * DAY_MS && (await countRaw()) <= q.limit)
    return { resolution: 'raw', from: q.from, to: q.to };
  const span = q.to - q.from;
  // One bucket more than the span holds, because it need not begin on a boundary.
  if (q.from >= now - retention.minuteDays * DAY_MS && span / MINUTE_MS + 1 <= q.limit) return buckets('1m', MINUTE_MS, 1, q);
  const widen = Math.max(1, Math.ceil(span / HOUR_MS / Math.max(1, q.limit - 1)));
  return buckets('1h', HOUR_MS, widen, q);
}

function buckets(resolution: '1m' | '1h', base: number, widen: number, q: CheckedRange): RangePlan {
  const bucketMs = base * widen;
  return { resolution, base, bucketMs, from: floorTo(q.from, bucketMs), to: ceilTo(q.to, bucketMs) };
}

/**
 * Raw points in order, `limit` of them. Several may have the same ms; the cut never falls between such, so that whoever asks again
 * from the ms after the last one misses none. Only when all of them have one ms there is no other place to cut.
 */
export function cutPoints<P extends { ts: number }>(points: P[], limit: number): { points: P[]; truncated: boolean } {
  points.sort((a, b) => a.ts - b.ts);
  const beyond = points[limit]?.ts;
  if (beyond === undefined) return { points, truncated: false };
  const whole = points.findIndex((p) => p.ts === beyond);
  return { points: points.slice(0, whole > 0 ? whole : limit), truncated: true };
}
