import type { Clock, Log, Metrics, Service } from '#service/mod.ts';
import type { ReadingsSink } from '../ports.ts';

/**
 * Keeps readings raw, and rolled up by minute and by hour, each for its own time.
 *
 *   write -> raw (30 d) --dirty hours--> 1m (1 year), 1h (10 years)
 *
 * Identity is series + time (in us): writing a reading twice leaves what writing it once leaves. Roll-ups are recomputed from
 * raw for the hours that got data, so that late and repeated readings are counted once; a query reads the hours that
 * are not rolled up yet from raw, so that its answer never lags behind.
 */
export interface TimeSeriesStore extends Service, ReadingsSink {
  /** Readings of one device in `[from, to)`, raw or aggregated, in order of time. Throws GEWU_REQUEST_INVALID, GEWU_STORE_UNAVAILABLE. */
  range(query: RangeQuery): Promise<RangeResult>;
  /** The newest reading of each device that has one. */
  latest(devices: readonly string[]): Promise<Map<string, LatestReading>>;
  /** How many raw readings are stored in `[from, to)`, of one device or of all. */
  count(query: { from: number; to: number; device?: string }): Promise<number>;
  /** Rolls up what is due and drops what is too old. Runs by itself every minute; tests call it. */
  maintain(): Promise<void>;
}

export const RESOLUTIONS = ['raw', '1m', '1h', 'auto'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

export interface RangeQuery {
  device: string;
  /** All fields when left out. */
  fields?: readonly string[];
  /** UTC ms, inclusive. */
  from: number;
  /** UTC ms, exclusive. */
  to: number;
  /** `auto` (the default) takes the finest that gives at most `limit` points, and widens the buckets beyond an hour if it must. */
  resolution?: Resolution;
  /** Points at most, 1 to POINTS_MAX; default POINTS_DEFAULT. */
  limit?: number;
}

export const POINTS_DEFAULT = 2_000;
export const POINTS_MAX = 20_000;

/** Of one field in one bucket. Booleans count as 0 and 1, except `last`. */
export interface Aggregate {
  mean: number;
  min: number;
  max: number;
  count: number;
  last: number | boolean;
}

export type RangeResult =
  /** `ts` is UTC ms, and several points may share it. `truncated`: there are more, ask again from the ms after the last one. */
  | { resolution: 'raw'; points: { ts: number; fields: Record<string, number | boolean> }[]; truncated: boolean }
  | {
      resolution: '1m' | '1h';
      /** Width of a bucket; a multiple of the resolution when `auto` had to widen. */
      bucketMs: number;
      /** `ts` is the start of the bucket. */
      points: { ts: number; fields: Record<string, Aggregate> }[];
      /** There are more: ask again from the last `ts` on. */
      truncated: boolean;
    };

export interface LatestReading {
  ts: number;
  kind: string;
  cell: string;
  edge: string;
  fields: Record<string, number | boolean>;
}

export interface TimeSeriesDeps {
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
