import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { Lane } from '#grid/wire/mod.ts';
import { Damaged } from './errors.ts';
import type { OutboxStats } from './protocol.ts';

/** Ours among the keys; the callers' never begin so. */
export const COUNTERS_KEY = '#counters';

/** Kept with every commit, so that a start counts nothing. */
export interface Counters {
  lanes: OutboxStats;
  /** The outbox's own clock: how long the node has run with this file, ms. */
  ageMs: number;
}

export interface StateRow {
  key: string;
  value: string;
  /** The transaction that wrote it: of two rows with one key the later counts. */
  revision: number;
}

const checksumOf = ({ key, value, revision }: StateRow) => crc32(`${key}\0${value}\0${revision}`);

/** A row of the state table from its columns, or null when it is none or its checksum does not hold. */
export function toStateRow([key, value, revision, crc]: readonly unknown[]): StateRow | null {
  if (typeof key !== 'string' || typeof value !== 'string' || typeof revision !== 'number') return null;
  const row = { key, value, revision };
  return checksumOf(row) === crc ? row : null;
}

export function toCounters(value: string): Counters {
  return JSON.parse(value) as Counters;
}

export function noCounters(lanes: readonly Lane[]): Counters {
  const none = () => ({ records: 0, bytes: 0, lastSeq: 0, dropped: 0, quarantined: 0 });
  return { ageMs: 0, lanes: Object.fromEntries(lanes.map((lane) => [lane, none()])) as OutboxStats };
}

/** Keys and values of the file. Looked up by row id, which is remembered here: an index would be one more thing to be damaged. */
export class StateTable {
  readonly #ids = new Map<string, number>();
  readonly #select: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  #idMax = 0;
  #revision = 0;
  /** Of the transaction under way. */
  #before = new Map<string, number | undefined>();

  /** Throws Damaged when a row is not what was written. */
  constructor(db: DatabaseSync) {
    this.#select = db.prepare('SELECT key, value, revision, crc FROM state WHERE id = ?');
    this.#put = db.prepare('INSERT OR REPLACE INTO state(id, key, value, revision, crc) VALUES(?, ?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM state WHERE id = ?');
    for (const { id, key, value, revision, crc } of db.prepare('SELECT * FROM state').iterate()) {
      const row = toStateRow([key, value, revision, crc]);
      if (row === null || this.#ids.has(row.key)) throw new Damaged('a row of state is not what was written');
      this.#ids.set(row.key, id as number);
      this.#idMax = Math.max(this.#idMax, id as number);
      this.#revision = Math.max(this.#revision, row.revision);
    }
  }

  begin(): void {
    this.#revision++;
    this.#before.clear();
  }

  rollback(): void {
    for (const [key, id] of this.#before) {
      if (id === undefined) this.#ids.delete(key);
      else this.#ids.set(key, id);
    }
  }

  put(key: string, value: string): void {
    const id = this.#ids.get(key) ?? ++this.#idMax;
    const row = { key, value, revision: this.#revision };
    this.#put.run(id, key, value, row.revision, checksumOf(row));
    this.#set(key, id);
  }

  delete(key: string): void {
    const id = this.#ids.get(key);
    if (id === undefined) return;
    this.#delete.run(id);
    this.#set(key, undefined);
  }

  get(key: string): string | undefined {
    const id = this.#ids.get(key);
    if (id === undefined) return undefined;
    const found = this.#select.get(id) ?? {};
    const row = toStateRow([found.key, found.value, found.revision, found.crc]);
    if (row?.key !== key) throw new Damaged(`the state ${key} is not what was written`);
    return row.value;
  }

  /** Keys with this prefix, in order, with their values. */
  entries(prefix: string): [string, string][] {
    const keys = [...this.#ids.keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.map((key) => [key, this.get(key) as string]);
  }

  #set(key: string, id: number | undefined): void {
    if (!this.#before.has(key)) this.#before.set(key, this.#ids.get(key));
    if (id === undefined) this.#ids.delete(key);
    else this.#ids.set(key, id);
  }
}
