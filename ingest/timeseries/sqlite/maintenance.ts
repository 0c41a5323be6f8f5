import type { StatementSync } from 'node:sqlite';
import { addSample, Buckets, floorTo, mergeStats } from '../aggregate.ts';
import type { RetentionConfig } from '../config.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../store.ts';
import { decodeValues, encodeStats, shapeText } from './row.ts';
import type { Writer } from './writer.ts';

/** An hour is rolled up this long after its end; what comes later makes it dirty again. */
const SETTLE_MS = 60_000;
/** One step holds up writes at most about this long. */
const STEP_MS_MAX = 40;
const HOURS_PER_COMMIT = 100;

interface Statements {
  due: StatementSync;
  raw: StatementSync;
  minute: StatementSync;
  hour: StatementSync;
  clean: StatementSync;
  dropPoints: StatementSync;
  dropMinutes: StatementSync;
  dropHours: StatementSync;
}

/**
 * Rolls up and prunes in short steps between writes. Order matters, and survives a kill at any point: the floor is
 * raised first (nothing older is accepted any more), then what is dirty below it is rolled up, then raw is deleted.
 */
export class Maintenance {
  readonly #writer: Writer;
  readonly #retention: RetentionConfig;
  readonly #sql: Statements;
  #prunedTo = 0;
  #toPrune: number[] = [];

  constructor(writer: Writer, retention: RetentionConfig) {
    this.#writer = writer;
    this.#retention = retention;
    const prepare = (sql: string) => writer.db.prepare(sql);
    const put = (table: string) =>
      prepare(`INSERT INTO ${table} (series, ts, shape, stats) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET shape = excluded.shape, stats = excluded.stats`);
    this.#sql = {
      due: prepare('SELECT series, hour FROM dirty WHERE hour < ? LIMIT ?'),
      raw: prepare(
        'SELECT us / 1000 AS ts, shape, vals FROM point WHERE series = ? AND us >= ? * 1000 AND us < ? * 1000 ORDER BY us',
      ),
      minute: put('minute'),
      hour: put('hour'),
      clean: prepare('DELETE FROM dirty WHERE series = ? AND hour = ?'),
      dropPoints: prepare('DELETE FROM point WHERE series = ? AND us < ? * 1000'),
      dropMinutes: prepare('DELETE FROM minute WHERE series = ? AND ts < ?'),
      dropHours: prepare('DELETE FROM hour WHERE series = ? AND ts < ?'),
    };
  }

  /** Does a little; true when there is more to do. `now` is UTC ms. */
  step(now: number): boolean {
    const deadline = performance.now() + STEP_MS_MAX;
    this.#raiseFloor(now);
    if (this.#rollUp(Math.max(now - SETTLE_MS - HOUR_MS, this.#writer.floor), deadline)) return true;
    return this.#prune(deadline);
  }

  #rollUp(before: number, deadline: number): boolean {
    const due = this.#sql.due.all(before, HOURS_PER_COMMIT) as { series: number; hour: number }[];
    if (due.length === 0) return false;
    const done: typeof due = [];
    this.#writer.transaction(() => {
      for (const d of due) {
        this.#rollUpHour(d.series, d.hour);
        done.push(d);
        if (performance.now() > deadline) break;
      }
    });
    for (const d of done) this.#writer.forgetDirty(d.series, d.hour);
    return true;
  }

  #rollUpHour(series: number, hour: number): void {
    const { dictionary } = this.#writer;
    const minutes = new Buckets(MINUTE_MS);
    for (const row of this.#sql.raw.iterate(series, hour, hour + HOUR_MS)) {
      const { ts, shape, vals } = row as { ts: number; shape: number; vals: string };
      const fields = decodeValues(dictionary.shapeById(shape), vals);
      for (const name in fields) addSample(minutes.at(ts), name, fields[name] as number | boolean, ts);
    }
    const whole = new Buckets(HOUR_MS);
    for (const [start, bucket] of minutes.byStart) {
      for (const [name, stats] of bucket) mergeStats(whole.at(start), name, stats);
      this.#put(this.#sql.minute, series, start, bucket);
    }
    for (const [start, bucket] of whole.byStart) this.#put(this.#sql.hour, series, start, bucket);
    this.#sql.clean.run(series, hour);
  }

  #put(statement: StatementSync, series: number, start: number, bucket: Parameters<typeof encodeStats>[1]): void {
    const { shape, text } = encodeStats(start, bucket);
    statement.run(series, start, this.#writer.dictionary.shapeOf(shapeText(shape)).id, text);
  }

  /** By the readings' own time where the clock is ahead of it: a clock that jumps a year deletes nothing. */
  #raiseFloor(now: number): void {
    const floor = floorTo(now - this.#retention.rawDays * DAY_MS, HOUR_MS);
    if (floor <= this.#writer.floor && this.#prunedTo === this.#writer.floor) return;
    const newest = this.#newest();
    const raised = Math.max(this.#writer.floor, floorTo(Math.min(now, newest) - this.#retention.rawDays * DAY_MS, HOUR_MS));
    if (raised > this.#writer.floor) {
      this.#writer.db
        .prepare("INSERT INTO meta (name, value) VALUES ('floor', ?) ON CONFLICT DO UPDATE SET value = excluded.value")
        .run(raised);
      this.#writer.floor = raised;
    }
    if (this.#prunedTo !== this.#writer.floor && this.#toPrune.length === 0) {
      this.#prunedTo = this.#writer.floor;
      this.#toPrune = this.#seriesIds();
    }
  }

  #prune(deadline: number): boolean {
    const { floor } = this.#writer;
    const base = floor + this.#retention.rawDays * DAY_MS;
    const minuteFloor = base - this.#retention.minuteDays * DAY_MS;
    const hourFloor = base - this.#retention.hourDays * DAY_MS;
    if (this.#toPrune.length === 0) return false;
    this.#writer.transaction(() => {
      while (this.#toPrune.length > 0 && performance.now() < deadline) {
        const series = this.#toPrune.at(-1) as number;
        this.#sql.dropPoints.run(series, floor);
        this.#sql.dropMinutes.run(series, minuteFloor);
        this.#sql.dropHours.run(series, hourFloor);
        this.#toPrune.pop();
      }
    });
    return this.#toPrune.length > 0;
  }

  #newest(): number {
    const row = this.#writer.db
      .prepare('SELECT max((SELECT max(us) / 1000 FROM point WHERE series = s.id)) AS newest FROM series s')
      .get() as { newest: number | null };
    return row.newest ?? 0;
  }

  #seriesIds(): number[] {
    return (this.#writer.db.prepare('SELECT id FROM series').all() as { id: number }[]).map((r) => r.id);
  }
}
