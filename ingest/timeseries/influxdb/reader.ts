import { addSample, Buckets, floorTo, mergeStats, type Stats } from '../aggregate.ts';
import type { RetentionConfig } from '../config.ts';
import { type CheckedRange, cutPoints, planRange, type RangePlan } from '../plan.ts';
import { HOUR_MS, type LatestReading, MINUTE_MS, type RangeResult } from '../store.ts';
import { HOURS, type InfluxClient, type InfluxSeries, MINUTES, RAW } from './client.ts';
import { DIRTY, type DirtyHours } from './dirty.ts';
import { STATISTICS } from './rollup.ts';
import { MARK } from './writer.ts';

type Bucketed = Exclude<RangePlan, { resolution: 'raw' }>;
/** Devices in one statement. */
const DEVICES_PER_QUERY = 200;
const TAGS = new Set(['time', 'cell', 'device', 'edge', MARK]);

/**
 * Reads. Each kind is asked by name: over several measurements InfluxDB would mix their columns. Names and ids were
 * checked and hold nothing that needs escaping.
 */
export class InfluxReader {
  readonly #client: InfluxClient;
  readonly #dirty: DirtyHours;
  readonly #retention: RetentionConfig;

  constructor(client: InfluxClient, dirty: DirtyHours, retention: RetentionConfig) {
    this.#client = client;
    this.#dirty = dirty;
    this.#retention = retention;
  }

  async range(q: CheckedRange, now: number): Promise<RangeResult> {
    const kinds = await this.#kindsOf(q.device);
    const countRaw = () => this.#count(kinds, q);
    const plan = await planRange(q, { now, retention: this.#retention, countRaw });
    if (plan.resolution === 'raw') return { resolution: 'raw', ...(await this.#raw(kinds, q)) };
    return { resolution: plan.resolution, bucketMs: plan.bucketMs, ...(await this.#buckets(kinds, q, plan)) };
  }

  async latest(devices: readonly string[]): Promise<Map<string, LatestReading>> {
    const found = new Map<string, LatestReading>();
    const kinds = devices.length === 0 ? [] : await this.#kindsOf();
    for (let i = 0; i < devices.length; i += DEVICES_PER_QUERY) {
      const wanted = `"device" =~ /^(${devices.slice(i, i + DEVICES_PER_QUERY).join('|')})$/`;
      const sql = kinds.map((k) => `SELECT * FROM "${RAW}"."${k}" WHERE ${wanted} GROUP BY "device" ORDER BY time DESC LIMIT 1`);
      for (const series of (await this.#client.query(...sql)).flat()) addLatest(found, series);
    }
    return found;
  }

  async count({ from, to, device }: { from: number; to: number; device?: string }): Promise<number> {
    return this.#count(await this.#kindsOf(device), { from, to, device });
  }

  async #count(kinds: readonly string[], { from, to, device }: { from: number; to: number; device?: string | undefined }) {
    const where = `${device === undefined ? '' : `"device" = '${device}' AND `}${within(from, to)}`;
    const sql = kinds.map((k) => `SELECT count("seq"), count("${MARK}") FROM "${RAW}"."${k}" WHERE ${where}`);
    const answers = (await this.#client.query(...sql)).flat();
    return answers.reduce((sum, s) => sum + Number(s.values[0]?.[1] ?? 0) + Number(s.values[0]?.[2] ?? 0), 0);
  }

  async #raw(kinds: readonly string[], q: CheckedRange) {
    const series = await this.#selectRaw(kinds, q, q.from, q.to, q.limit + 1);
    const points = series.flatMap((s) => s.values.map((row) => ({ ts: row[0] as number, fields: fieldsOf(s, row) })));
    return cutPoints(points, q.limit);
  }

  /** Rolled-up hours from the roll-up, dirty ones from raw, each source up to its first limit + 1 buckets. */
  async #buckets(kinds: readonly string[], q: CheckedRange, plan: Bucketed) {
    const all = new Buckets(plan.bucketMs);
    for (const kind of kinds) {
      const noted = await this.#dirty.list({ from: plan.from, to: plan.to, kind });
      const dirty = [...new Set(noted.map((d) => d.hour))].sort((a, b) => a - b);
      await this.#addRolledUp(all, kind, q, plan, new Set(dirty));
      await this.#addRaw(all, kind, q, plan, dirty);
    }
    return all.toPoints(q.limit);
  }

  async #addRolledUp(all: Buckets, kind: string, q: CheckedRange, plan: Bucketed, dirty: ReadonlySet<number>): Promise<void> {
    const policy = plan.base === MINUTE_MS ? MINUTES : HOURS;
    // Rows of the base resolution; hours that are dirty are among them and are passed over below.
    const rows = (q.limit + 1) * (plan.bucketMs / plan.base) + dirty.size * (HOUR_MS / plan.base);
    const select = q.fields ? q.fields.flatMap((f) => STATISTICS.map((s) => `"${f}.${s}"`)).join(', ') : '*';
    const [series = []] = await this.#client.query(
      `SELECT ${select} FROM "${policy}"."${kind}" WHERE "device" = '${q.device}' AND ${within(plan.from, plan.to)} GROUP BY "cell", "edge" ORDER BY time ASC LIMIT ${rows}`,
    );
    for (const s of series) {
      for (const row of s.values) {
        const ts = row[0] as number;
        if (!dirty.has(floorTo(ts, HOUR_MS))) addStats(all, s, row);
      }
    }
  }

  async #addRaw(all: Buckets, kind: string, q: CheckedRange, plan: Bucketed, dirty: readonly number[]): Promise<void> {
    const seen = new Set<number>();
    for (const hour of dirty) {
      const from = Math.max(hour, plan.from);
      const to = Math.min(hour + HOUR_MS, plan.to);
      for (const s of await this.#selectRaw([kind], q, from, to)) {
        for (const row of s.values) {
          const ts = row[0] as number;
          const fields = fieldsOf(s, row);
          for (const name in fields) addSample(all.at(ts), name, fields[name] as number | boolean, ts);
          seen.add(floorTo(ts, plan.bucketMs));
        }
      }
      if (seen.size > q.limit) return;
    }
  }

  async #selectRaw(kinds: readonly string[], q: CheckedRange, from: number, to: number, limit?: number): Promise<InfluxSeries[]> {
    const select = q.fields ? q.fields.map((f) => `"${f}"`).join(', ') : '*';
    const sql = kinds.map(
      (k) =>
        `SELECT ${select} FROM "${RAW}"."${k}" WHERE "device" = '${q.device}' AND ${within(from, to)} ORDER BY time ASC` +
        (limit === undefined ? '' : ` LIMIT ${limit}`),
    );
    return (await this.#client.query(...sql)).flat();
  }

  /** Measurements of one device, or all. */
  async #kindsOf(device?: string): Promise<string[]> {
    const where = device === undefined ? '' : ` WHERE "device" = '${device}'`;
    const [series = []] = await this.#client.query(`SHOW MEASUREMENTS${where}`);
    return (series[0]?.values ?? []).map((v) => v[0] as string).filter((name) => name !== DIRTY);
  }
}

const within = (from: number, to: number) => `time >= ${from}ms AND time < ${to}ms`;

function fieldsOf({ columns }: InfluxSeries, row: readonly unknown[]): Record<string, number | boolean> {
  const fields: Record<string, number | boolean> = {};
  for (let i = 0; i < columns.length; i++) {
    const value = row[i];
    if (value !== null && value !== undefined && !TAGS.has(columns[i] as string)) fields[columns[i] as string] = value as number;
  }
  return fields;
}

function addLatest(found: Map<string, LatestReading>, series: InfluxSeries): void {
  const device = series.tags?.device;
  const row = series.values[0];
  if (device === undefined || !row) return;
  const ts = row[0] as number;
  const known = found.get(device);
  if (known && known.ts >= ts) return;
  const column = (name: string) => String(row[series.columns.indexOf(name)] ?? '');
  found.set(device, { ts, kind: series.name, cell: column('cell'), edge: column('edge'), fields: fieldsOf(series, row) });
}

/** One row of a roll-up into the bucket that holds it. */
function addStats(all: Buckets, { columns }: InfluxSeries, row: readonly unknown[]): void {
  const ts = row[0] as number;
  const byField = new Map<string, Record<string, number | boolean>>();
  for (let i = 1; i < columns.length; i++) {
    const [field, statistic] = (columns[i] as string).split('.');
    if (statistic === undefined || row[i] === null || row[i] === undefined) continue;
    const s = byField.get(field as string) ?? {};
    s[statistic] = row[i] as number | boolean;
    byField.set(field as string, s);
  }
  for (const [field, s] of byField) if (s.n !== undefined && s.last !== undefined) mergeStats(all.at(ts), field, toStats(ts, s));
}

function toStats(ts: number, s: Record<string, number | boolean>): Stats {
  const count = Number(s.n);
  const last = s.last as number | boolean;
  if (typeof last === 'number') return { count, sum: Number(s.sum), min: Number(s.min), max: Number(s.max), last, lastTs: ts };
  const trues = Number(s.true ?? 0);
  return { count, sum: trues, min: trues === count ? 1 : 0, max: trues > 0 ? 1 : 0, last, lastTs: ts };
}
