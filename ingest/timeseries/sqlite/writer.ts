import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LineScanner } from '../../lines/mod.ts';
import { floorTo } from '../aggregate.ts';
import { HOUR_MS } from '../store.ts';
import { Dictionary } from './dictionary.ts';
import { decodeValues, encodeValues, type Shape, shapeText } from './row.ts';
import { openDatabase } from './schema.ts';

/** Which lines were not stored, and why; by index. */
export type Refusals = [index: number, reason: string][];

/** Dirty hours that are remembered as already marked; beyond it the table is asked. */
const DIRTY_KNOWN_MAX = 1_000_000;
const HOURS_BITS = 2 ** 20;

interface Statements {
  insert: StatementSync;
  read: StatementSync;
  update: StatementSync;
  dirty: StatementSync;
}

/** The one connection that writes. Runs in the writer's thread; everything here is synchronous. */
export class Writer {
  readonly db: DatabaseSync;
  readonly dictionary: Dictionary;
  /** UTC ms below which raw is gone for ever; late readings from before it would spoil the roll-ups. */
  floor = 0;
  readonly #sql: Statements;
  readonly #scan = new LineScanner();
  readonly #dirtyKnown = new Set<number>();

  constructor(file: string) {
    this.db = openDatabase(file, { readOnly: false });
    this.dictionary = new Dictionary(this.db);
    this.dictionary.load();
    this.#sql = {
      insert: this.db.prepare('INSERT INTO point (series, us, shape, vals) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'),
      read: this.db.prepare('SELECT shape, vals FROM point WHERE series = ? AND us = ?'),
      update: this.db.prepare('UPDATE point SET shape = ?, vals = ? WHERE series = ? AND us = ?'),
      dirty: this.db.prepare('INSERT INTO dirty (series, hour) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    };
    const row = this.db.prepare("SELECT value FROM meta WHERE name = 'floor'").get() as { value: number } | undefined;
    this.floor = row?.value ?? 0;
  }

  /** Stores lines, joined by newlines, in one commit that is on disk when this returns. */
  write(lines: Uint8Array): Refusals {
    const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
    // A character a byte, so that what the scanner finds is at the same place in both.
    const text = bytes.toString('latin1');
    return this.transaction(() => this.#insertAll(text, bytes));
  }

  /** All or nothing; what was cached inside of it is forgotten with it. */
  transaction<T>(body: () => T): T {
    this.dictionary.load();
    this.db.exec('BEGIN IMMEDIATE');
    try {
      const result = body();
      this.db.exec('COMMIT');
      return result;
    } catch (error) {
      this.dictionary.forget();
      this.#dirtyKnown.clear();
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      throw error;
    }
  }

  /** The hour was rolled up: the next reading marks it again. */
  forgetDirty(series: number, hour: number): void {
    this.#dirtyKnown.delete(series * HOURS_BITS + hour / HOUR_MS);
  }

  #insertAll(text: string, bytes: Buffer): Refusals {
    const refusals: Refusals = [];
    let start = 0;
    for (let index = 0; start <= text.length; index++) {
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      const fault = this.#insert(text, bytes, start, end);
      if (fault !== null) refusals.push([index, fault]);
      start = end + 1;
    }
    return refusals;
  }

  #insert(text: string, bytes: Buffer, start: number, end: number): string | null {
    const scan = this.#scan;
    const fault = scan.scan(bytes, start, end);
    if (fault !== null) return fault;
    if (scan.ts < this.floor) return 'older than the raw retention';
    const series = this.dictionary.series(text, start, scan);
    if (typeof series === 'string') return series;
    const shape = this.dictionary.shape(text, scan, series);
    if (typeof shape === 'string') return shape;
    const values = valuesOf(text, scan);
    const us = scan.ts * 1000 + scan.us;
    const { changes } = this.#sql.insert.run(series.id, us, shape.id, values);
    if (changes === 0 && !this.#merge(series.id, us, shape, values)) return null;
    this.#markDirty(series.id, floorTo(scan.ts, HOUR_MS));
    return null;
  }

  /** A replay changes nothing; another reading of the same time adds its fields and overwrites those that both have. */
  #merge(series: number, us: number, shape: Shape, values: string): boolean {
    const row = this.#sql.read.get(series, us) as { shape: number; vals: string };
    if (row.shape === shape.id && row.vals === values) return false;
    const old = decodeValues(this.dictionary.shapeById(row.shape), row.vals);
    const merged = encodeValues({ ...old, ...decodeValues(shape, values) });
    const mergedShape = this.dictionary.shapeOf(shapeText(merged.shape));
    this.#sql.update.run(mergedShape.id, merged.text, series, us);
    return true;
  }

  #markDirty(series: number, hour: number): void {
    const key = series * HOURS_BITS + hour / HOUR_MS;
    if (this.#dirtyKnown.has(key)) return;
    this.#sql.dirty.run(series, hour);
    if (this.#dirtyKnown.size < DIRTY_KNOWN_MAX) this.#dirtyKnown.add(key);
  }
}

/** `tilt_deg=2.5,opened=false` to `2.5,f`. */
function valuesOf(text: string, scan: LineScanner): string {
  let values = '';
  for (let i = 0; i < scan.fieldCount; i++) {
    const start = (scan.nameEnd[i] as number) + 1;
    if (i > 0) values += ',';
    values += scan.boolean[i] === 1 ? text[start] : text.slice(start, scan.valueEnd[i]);
  }
  return values;
}
