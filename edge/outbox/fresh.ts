import { rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Lane } from '#grid/wire/mod.ts';
import { type BlockRow, OpenBlock } from './block.ts';
import { DROPPABLE } from './drops.ts';
import { isDiskFull } from './errors.ts';
import type { WorkerOptions } from './protocol.ts';
import { writeSchema } from './schema.ts';
import { COUNTERS_KEY, type Counters, noCounters, type StateRow, StateTable } from './state.ts';
import { PAGE_BYTES } from './wal.ts';

const BATCH_BYTES = 4 * 1024 * 1024;
const DROP_BLOCKS = 64;

/**
 * A new outbox file in the making. Synced by the caller, at the end: until then it is worth nothing. On a full disk readings give way
 * to health, and both to events.
 */
export class FreshFile {
  readonly #path: string;
  readonly #lanes: readonly Lane[];
  readonly #db: DatabaseSync;
  readonly #freeDisk: () => void;
  readonly #inserts: Record<Lane, StatementSync>;
  #batch: { lane: Lane; row: BlockRow }[] = [];
  #batchBytes = 0;

  /** `freeDisk` is called when the disk is full, before anything is given up. */
  constructor(path: string, { lanes, pagesMax }: Pick<WorkerOptions, 'lanes' | 'pagesMax'>, freeDisk: () => void) {
    this.#path = path;
    this.#lanes = lanes;
    this.#freeDisk = freeDisk;
    rmSync(path, { force: true });
    this.#db = new DatabaseSync(path);
    this.#db.exec(`PRAGMA page_size=${PAGE_BYTES}; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF`);
    if (pagesMax !== undefined) this.#db.exec(`PRAGMA max_page_count=${pagesMax}`);
    writeSchema(this.#db, lanes);
    const insert = (lane: Lane) => this.#db.prepare(`INSERT OR IGNORE INTO ${lane}(first, last, ts, block) VALUES(?, ?, ?, ?)`);
    this.#inserts = Object.fromEntries(lanes.map((lane) => [lane, insert(lane)])) as Record<Lane, StatementSync>;
  }

  /** A row that is there already stays as it is. */
  add(lane: Lane, row: BlockRow): void {
    this.#batch.push({ lane, row: { ...row, block: Uint8Array.from(row.block) } });
    this.#batchBytes += row.block.length;
    if (this.#batchBytes >= BATCH_BYTES) this.#flush();
  }

  /** `countersFor` gets what is stored, and what it gives back is kept. Closes the file. */
  finish(state: Iterable<StateRow>, countersFor: (stored: Counters) => Counters): Counters {
    this.#flush();
    for (const lane of this.#lanes) this.#untangle(lane);
    const rows = [...state];
    let counters = noCounters(this.#lanes);
    this.#inRoom(() => {
      counters = countersFor(this.#count());
      const table = new StateTable(this.#db);
      for (const { key, value } of rows) table.put(key, value);
      table.put(COUNTERS_KEY, JSON.stringify(counters));
    });
    this.#db.close();
    return counters;
  }

  abandon(): void {
    if (this.#db.isOpen) this.#db.close();
    rmSync(this.#path, { force: true });
  }

  #flush(): void {
    this.#inRoom(() => {
      for (const { lane, row } of this.#batch) this.#insert(lane, row);
    });
    this.#batch = [];
    this.#batchBytes = 0;
  }

  #insert(lane: Lane, { first, last, ts, block }: BlockRow): void {
    this.#inserts[lane].run(first, last, ts, block);
  }

  /** Versions of one row that begin or end elsewhere: what the one before has, the next one does not have again. */
  #untangle(lane: Lane): void {
    const tangled: number[] = [];
    let before = 0;
    for (const row of this.#db.prepare(`SELECT first, last FROM ${lane} ORDER BY first`).iterate()) {
      const { first, last } = row as { first: number; last: number };
      if (first <= before) tangled.push(first);
      before = Math.max(before, last);
    }
    const covers = this.#db.prepare(`SELECT max(last) AS last FROM ${lane} WHERE first < ?`);
    for (const first of tangled)
      this.#inRoom(() => {
        const row = this.#db.prepare(`SELECT * FROM ${lane} WHERE first = ?`).get(first) as unknown as BlockRow;
        this.#db.prepare(`DELETE FROM ${lane} WHERE first = ?`).run(first);
        const from = (covers.get(first) as { last: number }).last + 1;
        for (const rest of new OpenBlock(lane, row).sound(from)) this.#insert(lane, rest);
      });
  }

  #count(): Counters {
    const counters = noCounters(this.#lanes);
    for (const lane of this.#lanes) {
      const sums = this.#db
        .prepare(
          `SELECT coalesce(sum(last - first + 1), 0) AS records, coalesce(sum(length(block)), 0) AS bytes,
          coalesce(max(last), 0) AS lastSeq, coalesce(max(ts), 0) AS ts FROM ${lane}`,
        )
        .get() as { records: number; bytes: number; lastSeq: number; ts: number };
      const { ts, ...stored } = sums;
      counters.lanes[lane] = { ...counters.lanes[lane], ...stored };
      counters.ageMs = Math.max(counters.ageMs, ts);
    }
    return counters;
  }

  #inRoom(work: () => void): void {
    for (let freed = false; ; freed = true) {
      try {
        this.#db.exec('BEGIN IMMEDIATE');
        work();
        this.#db.exec('COMMIT');
        return;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        if (!isDiskFull(error)) throw error;
        if (!freed) this.#freeDisk();
        else if (!this.#dropSome()) throw error;
      }
    }
  }

  #dropSome(): boolean {
    for (const lane of DROPPABLE) {
      const { changes } = this.#db
        .prepare(`DELETE FROM ${lane} WHERE first IN (SELECT first FROM ${lane} ORDER BY first LIMIT ${DROP_BLOCKS})`)
        .run();
      const waiting = this.#batch.length;
      if (changes === 0) this.#batch = this.#batch.filter((b) => b.lane !== lane);
      if (changes !== 0 || this.#batch.length < waiting) return true;
    }
    return false;
  }
}
