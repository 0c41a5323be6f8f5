import type { DatabaseSync } from 'node:sqlite';
import { addSample, Buckets, floorTo, mergeStats } from '../aggregate.ts';
import type { RetentionConfig } from '../config.ts';
import { type CheckedRange, cutPoints, planRange, type RangePlan } from '../plan.ts';
import { HOUR_MS, type LatestReading, MINUTE_MS, type RangeResult } from '../store.ts';
import { decodeStats, decodeValues, parseShape, type Shape } from './row.ts';
import { openDatabase } from './schema.ts';

const RAW_SQL =
  'SELECT us / 1000 AS ts, shape, vals FROM point WHERE series = ? AND us >= ? * 1000 AND us < ? * 1000 ORDER BY us';
type RawPoint = { ts: number; fields: Record<string, number | boolean> };
type Bucketed = Exclude<RangePlan, { resolution: 'raw' }>;

/** A connection that reads a consistent snapshot while the writer writes. Runs in the reader's thread. */
export class Reader {
  readonly #db: DatabaseSync;
  readonly #retention: RetentionConfig;
  readonly #shapes = new Map<number, Shape>();

  constructor(file: string, retention: RetentionConfig) {
    this.#db = openDatabase(file, { readOnly: true });
    this.#retention = retention;
  }

  close(): void {
    this.#db.close();
  }

  async range(q: CheckedRange, now: number): Promise<RangeResult> {
    const series = this.#seriesOf(q.device);
    const countRaw = async () => this.#countUpTo(series, q);
    const plan = await planRange(q, { now, retention: this.#retention, countRaw });
    return this.#snapshot((): RangeResult => {
      if (plan.resolution === 'raw') return { resolution: 'raw', ...this.#raw(series, q) };
      return { resolution: plan.resolution, bucketMs: plan.bucketMs, ...this.#buckets(series, q, plan) };
    });
  }

  latest(devices: readonly string[]): [string, LatestReading][] {
    const newest = this.#db.prepare('SELECT us / 1000 AS ts, shape, vals FROM point WHERE series = ? ORDER BY us DESC LIMIT 1');
    const tags = this.#db.prepare('SELECT id, kind, cell, edge FROM series WHERE device = ?');
    const found: [string, LatestReading][] = [];
    for (const device of devices) {
      let latest: LatestReading | null = null;
      for (const s of tags.all(device) as { id: number; kind: string; cell: string; edge: string }[]) {
        const row = newest.get(s.id) as { ts: number; shape: number; vals: string } | undefined;
        if (!row || (latest && row.ts <= latest.ts)) continue;
        latest = { ts: row.ts, kind: s.kind, cell: s.cell, edge: s.edge, fields: decodeValues(this.#shape(row.shape), row.vals) };
      }
      if (latest) found.push([device, latest]);
    }
    return found;
  }

  count({ from, to, device }: { from: number; to: number; device?: string }): number {
    const series = device === undefined ? this.#allSeries() : this.#seriesOf(device);
    const statement = this.#db.prepare('SELECT count(*) AS n FROM point WHERE series = ? AND us >= ? * 1000 AND us < ? * 1000');
    return this.#snapshot(() => series.reduce((sum, id) => sum + (statement.get(id, from, to) as { n: number }).n, 0));
  }

  #raw(series: readonly number[], q: CheckedRange): { points: RawPoint[]; truncated: boolean } {
    const statement = this.#db.prepare(RAW_SQL);
    const points: RawPoint[] = [];
    for (const id of series) {
      let taken = 0;
      for (const row of statement.iterate(id, q.from, q.to)) {
        const { ts, shape, vals } = row as { ts: number; shape: number; vals: string };
        const fields = pick(decodeValues(this.#shape(shape), vals), q.fields);
        if (fields === null) continue;
        points.push({ ts, fields });
        if (++taken > q.limit) break;
      }
    }
    return cutPoints(points, q.limit);
  }

  /**
   * Rolled-up hours from the roll-up, dirty ones from raw. Each source gives its first limit + 1 buckets whole, so the
   * first `limit` of all of them together are whole too.
   */
  #buckets(series: readonly number[], q: CheckedRange, plan: Bucketed) {
    const all = new Buckets(plan.bucketMs);
    for (const id of series) {
      const dirty = this.#dirtyHours(id, plan);
      this.#addRolledUp(all, id, q, plan, new Set(dirty));
      this.#addRaw(all, id, q, plan, dirty);
    }
    return all.toPoints(q.limit);
  }

  #addRolledUp(all: Buckets, series: number, q: CheckedRange, plan: Bucketed, dirty: ReadonlySet<number>): void {
    const table = plan.base === MINUTE_MS ? 'minute' : 'hour';
    const sql = `SELECT ts, shape, stats FROM ${table} WHERE series = ? AND ts >= ? AND ts < ? ORDER BY ts`;
    const room = roomFor(q.limit, plan.bucketMs);
    for (const row of this.#db.prepare(sql).iterate(series, plan.from, plan.to)) {
      const { ts, shape, stats } = row as { ts: number; shape: number; stats: string };
      if (dirty.has(floorTo(ts, HOUR_MS))) continue;
      if (!room(ts)) break;
      for (const [name, s] of decodeStats(ts, this.#shape(shape), stats))
        if (!q.fields || q.fields.includes(name)) mergeStats(all.at(ts), name, s);
    }
  }

  #addRaw(all: Buckets, series: number, q: CheckedRange, plan: Bucketed, dirty: readonly number[]): void {
    const statement = this.#db.prepare(RAW_SQL);
    const room = roomFor(q.limit, plan.bucketMs);
    for (const hour of dirty) {
      for (const row of statement.iterate(series, Math.max(hour, plan.from), Math.min(hour + HOUR_MS, plan.to))) {
        const { ts, shape, vals } = row as { ts: number; shape: number; vals: string };
        if (!room(ts)) return;
        const fields = pick(decodeValues(this.#shape(shape), vals), q.fields);
        for (const name in fields) addSample(all.at(ts), name, fields[name] as number | boolean, ts);
      }
    }
  }

  #dirtyHours(series: number, plan: Bucketed): number[] {
    const sql = 'SELECT hour FROM dirty WHERE series = ? AND hour >= ? AND hour < ? ORDER BY hour';
    const rows = this.#db.prepare(sql).all(series, floorTo(plan.from, HOUR_MS), plan.to) as { hour: number }[];
    return rows.map((r) => r.hour);
  }

  #countUpTo(series: readonly number[], q: CheckedRange): number {
    const sql = 'SELECT count(*) AS n FROM (SELECT 1 FROM point WHERE series = ? AND us >= ? * 1000 AND us < ? * 1000 LIMIT ?)';
    const statement = this.#db.prepare(sql);
    return series.reduce((sum, id) => sum + (statement.get(id, q.from, q.to, q.limit + 1) as { n: number }).n, 0);
  }

  #seriesOf(device: string): number[] {
    return (this.#db.prepare('SELECT id FROM series WHERE device = ?').all(device) as { id: number }[]).map((r) => r.id);
  }

  #allSeries(): number[] {
    return (this.#db.prepare('SELECT id FROM series').all() as { id: number }[]).map((r) => r.id);
  }

  #shape(id: number): Shape {
    let shape = this.#shapes.get(id);
    if (!shape) {
      const row = this.#db.prepare('SELECT fields FROM shape WHERE id = ?').get(id) as { fields: string };
      shape = parseShape(id, row.fields);
      this.#shapes.set(id, shape);
    }
    return shape;
  }

  #snapshot<T>(body: () => T): T {
    this.#db.exec('BEGIN');
    try {
      return body();
    } finally {
      this.#db.exec('COMMIT');
    }
  }
}

/** Whether a reading at `ts`, in order of time, still falls into the first limit + 1 buckets. */
function roomFor(limit: number, bucketMs: number): (ts: number) => boolean {
  let bucket = -1;
  let seen = 0;
  return (ts) => {
    const start = floorTo(ts, bucketMs);
    if (start !== bucket) {
      bucket = start;
      seen++;
    }
    return seen <= limit + 1;
  };
}

/** The wanted fields; null when it has none of them. */
function pick(fields: Record<string, number | boolean>, wanted: readonly string[] | null) {
  if (!wanted) return fields;
  const picked: Record<string, number | boolean> = {};
  let any = false;
  for (const name of wanted) {
    if (!Object.hasOwn(fields, name)) continue;
    picked[name] = fields[name] as number | boolean;
    any = true;
  }
  return any ? picked : null;
}
