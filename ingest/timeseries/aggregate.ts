import type { Aggregate } from './store.ts';

/** What a bucket remembers of one field: enough to merge buckets without looking at raw again. */
export interface Stats {
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number | boolean;
  /** UTC ms of `last`. */
  lastTs: number;
}

/** Statistics by field name. */
export type Bucket = Map<string, Stats>;

/** Adds one sample. In whatever order they come, `last` is the newest. */
export function addSample(bucket: Bucket, field: string, value: number | boolean, ts: number): void {
  const x = Number(value);
  const s = bucket.get(field);
  if (!s) {
    bucket.set(field, { count: 1, sum: x, min: x, max: x, last: value, lastTs: ts });
    return;
  }
  s.count++;
  s.sum += x;
  if (x < s.min) s.min = x;
  if (x > s.max) s.max = x;
  if (ts >= s.lastTs) {
    s.last = value;
    s.lastTs = ts;
  }
}

export function mergeStats(bucket: Bucket, field: string, other: Stats): void {
  const s = bucket.get(field);
  if (!s) {
    bucket.set(field, { ...other });
    return;
  }
  s.count += other.count;
  s.sum += other.sum;
  if (other.min < s.min) s.min = other.min;
  if (other.max > s.max) s.max = other.max;
  if (other.lastTs >= s.lastTs) {
    s.last = other.last;
    s.lastTs = other.lastTs;
  }
}

export function toAggregate(s: Stats): Aggregate {
  return { mean: s.sum / s.count, min: s.min, max: s.max, count: s.count, last: s.last };
}

/** Buckets by start, created on demand. */
export class Buckets {
  readonly byStart = new Map<number, Bucket>();
  readonly widthMs: number;
  constructor(widthMs: number) {
    this.widthMs = widthMs;
  }

  /** The bucket that holds `ts`. */
  at(ts: number): Bucket {
    const start = floorTo(ts, this.widthMs);
    let bucket = this.byStart.get(start);
    if (!bucket) {
      bucket = new Map();
      this.byStart.set(start, bucket);
    }
    return bucket;
  }

  /** In order of time, `limit` at most. */
  toPoints(limit: number): { points: { ts: number; fields: Record<string, Aggregate> }[]; truncated: boolean } {
    const starts = [...this.byStart.keys()].filter((k) => (this.byStart.get(k) as Bucket).size > 0).sort((a, b) => a - b);
    const points = starts.slice(0, limit).map((ts) => {
      const fields: Record<string, Aggregate> = {};
      for (const [name, s] of this.byStart.get(ts) as Bucket) fields[name] = toAggregate(s);
      return { ts, fields };
    });
    return { points, truncated: starts.length > limit };
  }
}

export function floorTo(ts: number, widthMs: number): number {
  return Math.floor(ts / widthMs) * widthMs;
}

export function ceilTo(ts: number, widthMs: number): number {
  return Math.ceil(ts / widthMs) * widthMs;
}
