import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Lane } from '#grid/wire/mod.ts';

/** What is asked of a lane's table. */
export interface LaneTable {
  insert: StatementSync;
  /** Blocks that hold any of a range of sequence numbers. */
  select: StatementSync;
  measure: StatementSync;
  oldest: StatementSync;
  block: StatementSync;
  delete: StatementSync;
}

/** A block without its bytes. */
export interface Measured {
  first: number;
  last: number;
  ts: number;
  bytes: number;
}

export function prepareLane(db: DatabaseSync, lane: Lane): LaneTable {
  const columns = 'first, last, ts, length(block) AS bytes';
  // No block holds more than BLOCK_RECORDS_MAX: where it may begin is bounded, and the primary key finds it.
  const range = 'first > ? AND first <= ? AND last >= ? ORDER BY first';
  return {
    insert: db.prepare(`INSERT INTO ${lane}(first, last, ts, block) VALUES(?, ?, ?, ?)`),
    select: db.prepare(`SELECT first, last, ts, block FROM ${lane} WHERE ${range}`),
    measure: db.prepare(`SELECT ${columns} FROM ${lane} WHERE ${range}`),
    oldest: db.prepare(`SELECT ${columns} FROM ${lane} ORDER BY first LIMIT ?`),
    block: db.prepare(`SELECT first, last, ts, block FROM ${lane} WHERE first = ?`),
    delete: db.prepare(`DELETE FROM ${lane} WHERE first = ?`),
  };
}
