import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { Lane } from '#grid/wire/mod.ts';
import type { Chunk, CommitRequest, OutboxStats, TakeRequest, WorkerOptions } from './protocol.ts';

/**
 * The outbox's file. Runs inside the worker only. WAL with synchronous FULL: a commit that returned is on disk.
 * Each row has its own checksum, because SQLite serves a flipped byte and calls the file intact.
 */
export class OutboxFull extends Error {}

interface LaneStatements {
  insert: StatementSync;
  take: StatementSync;
  remove: StatementSync;
  removeOldest: StatementSync;
  removeAged: StatementSync;
}

/** What may go at the quota, in this order; events never. */
const DROPPABLE = ['readings', 'health'] as const;
/** Rows that are dropped in one go at the quota. */
const DROP_ROWS = 1000;
const QUARANTINE_ROWS_MAX = 1000;
const NEWLINE = 0x0a;
/** https://sqlite.org/rescode.html#full */
const SQLITE_FULL = 13;

export class OutboxStore {
  readonly #options: WorkerOptions;
  readonly #db: DatabaseSync;
  readonly #lanes: Record<Lane, LaneStatements>;
  readonly #putState: StatementSync;
  readonly #deleteState: StatementSync;
  #stats: OutboxStats;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#db = openFile(options);
    this.#lanes = Object.fromEntries(options.lanes.map((lane) => [lane, this.#prepareLane(lane)])) as Record<
      Lane,
      LaneStatements
    >;
    this.#putState = this.#db.prepare(
      'INSERT INTO state(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value',
    );
    this.#deleteState = this.#db.prepare('DELETE FROM state WHERE key = ?');
    this.#stats = this.#readStats();
  }

  get stats(): OutboxStats {
    return this.#stats;
  }

  /**
   * One transaction. Throws OutboxFull when the events do not fit even without all readings, or the disk is full;
   * the acknowledged rows go all the same, because they are what makes room.
   */
  commit(request: CommitRequest, now: number): void {
    try {
      this.#transaction(request, now);
    } catch (error) {
      const diskFull = isDiskFull(error);
      if (!(error instanceof OutboxFull) && !diskFull) throw error;
      if (request.remove.length > 0) this.#transaction({ ...request, rows: [], state: [] }, now);
      if (!diskFull) throw error;
      this.#makeRoom(error);
      this.#transaction({ ...request, remove: [] }, now);
    }
  }

  /** On a full disk the oldest readings go, as at the quota: their pages are used again. */
  #makeRoom(cause: unknown): void {
    const full = () => new OutboxFull('the disk is full', { cause });
    const lane = DROPPABLE.find((l) => this.#stats[l].records > 0);
    if (lane === undefined) throw full();
    const before = structuredClone(this.#stats);
    try {
      // An empty log is written from its beginning again, so that the deletion itself needs no new room.
      this.#db.exec('PRAGMA wal_checkpoint(RESTART); BEGIN IMMEDIATE');
      this.#drop(lane, this.#lanes[lane].removeOldest.all() as { bytes: number }[]);
      this.#db.exec('COMMIT');
    } catch {
      this.#stats = before;
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw full();
    }
  }

  #transaction({ rows, state, remove }: CommitRequest, now: number): void {
    const before = structuredClone(this.#stats);
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const r of remove) this.#removeRange(r.lane, r.first, r.last);
      for (const { lane, bodies } of rows) for (const body of bodies) this.#insert(lane, body, now);
      for (const { key, value } of state) {
        if (value === null) this.#deleteState.run(key);
        else this.#putState.run(key, value);
      }
      if (rows.length > 0) this.#keepQuota();
      takeFault(this.#options.syncFaults);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#stats = before;
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  take({ lane, from, upTo, bytesMax, countMax }: TakeRequest): Chunk | null {
    const bodies: Uint8Array[] = [];
    let [bytes, first, last] = [0, 0, 0];
    const broken: number[] = [];
    for (const row of this.#lanes[lane].take.iterate(from, upTo, countMax) as Iterable<{
      seq: number;
      crc: number;
      body: Uint8Array;
    }>) {
      if (crc32(row.body) !== row.crc) {
        broken.push(row.seq);
        continue;
      }
      if (bodies.length > 0 && bytes + row.body.length + 1 > bytesMax) break;
      if (bodies.length === 0) first = row.seq;
      last = row.seq;
      bytes += row.body.length + 1;
      bodies.push(row.body);
    }
    for (const seq of broken) this.#quarantine(lane, seq);
    if (bodies.length > 0) return { first, last, count: bodies.length, body: joinLines(bodies, bytes) };
    // A run of broken rows only: what follows may be sound.
    return broken.length > 0
      ? this.take({ op: 'take', id: 0, lane, from: (broken.at(-1) as number) + 1, upTo, bytesMax, countMax })
      : null;
  }

  readState(prefix: string): [string, string][] {
    const rows = this.#db
      .prepare('SELECT key, value FROM state WHERE substr(key, 1, ?) = ? ORDER BY key')
      .all(prefix.length, prefix);
    return rows.map((r) => [r.key as string, r.value as string]);
  }

  /** Drops readings and health that are too old, oldest first. */
  dropAged(now: number): void {
    const before = now - this.#options.ageMsMax;
    for (const lane of DROPPABLE) {
      for (;;) {
        const removed = this.#lanes[lane].removeAged.all(before) as { bytes: number }[];
        this.#drop(lane, removed);
        if (removed.length < DROP_ROWS) break;
      }
    }
  }

  /** Copies everything into the main file and syncs it: nothing that only the page cache knows is built upon. */
  settle(): void {
    const { busy } = this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    if (busy !== 0) throw new Error('the outbox could not be settled: another process reads it');
  }

  close(): void {
    this.#db.close();
  }

  #prepareLane(lane: Lane): LaneStatements {
    const db = this.#db;
    return {
      insert: db.prepare(`INSERT INTO ${lane}(ts, crc, body) VALUES(?, ?, ?)`),
      take: db.prepare(`SELECT seq, crc, body FROM ${lane} WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?`),
      remove: db.prepare(`DELETE FROM ${lane} WHERE seq BETWEEN ? AND ? RETURNING length(body) AS bytes`),
      removeOldest: db.prepare(
        `DELETE FROM ${lane} WHERE seq IN (SELECT seq FROM ${lane} ORDER BY seq LIMIT ${DROP_ROWS}) RETURNING length(body) AS bytes`,
      ),
      // By the primary key: rows stand in the order of their times, and a scan of a day's backlog would stall the lane.
      removeAged: db.prepare(
        `DELETE FROM ${lane} WHERE seq IN (SELECT seq FROM ${lane} ORDER BY seq LIMIT ${DROP_ROWS}) AND ts < ? RETURNING length(body) AS bytes`,
      ),
    };
  }

  #insert(lane: Lane, body: Uint8Array, now: number): void {
    const { lastInsertRowid } = this.#lanes[lane].insert.run(now, crc32(body), body);
    const stats = this.#stats[lane];
    stats.lastSeq = Number(lastInsertRowid);
    stats.records++;
    stats.bytes += body.length;
  }

  #removeRange(lane: Lane, first: number, last: number): void {
    this.#subtract(lane, this.#lanes[lane].remove.all(first, last) as { bytes: number }[]);
  }

  #subtract(lane: Lane, removed: { bytes: number }[]): void {
    const stats = this.#stats[lane];
    stats.records -= removed.length;
    for (const { bytes } of removed) stats.bytes -= bytes;
  }

  /** At the quota the oldest readings go first, then health, never events. */
  #keepQuota(): void {
    const total = () => this.#options.lanes.reduce((sum, lane) => sum + this.#stats[lane].bytes, 0);
    while (total() > this.#options.quotaBytes) {
      const lane = DROPPABLE.find((l) => this.#stats[l].records > 0);
      if (lane === undefined)
        throw new OutboxFull(`the outbox holds ${total()} B of events, its quota is ${this.#options.quotaBytes} B`);
      this.#drop(lane, this.#lanes[lane].removeOldest.all() as { bytes: number }[]);
    }
  }

  #drop(lane: Lane, removed: { bytes: number }[]): void {
    if (removed.length === 0) return;
    this.#subtract(lane, removed);
    this.#stats[lane].dropped += removed.length;
    this.#db.prepare('UPDATE counters SET dropped = dropped + ? WHERE lane = ?').run(removed.length, lane);
  }

  #quarantine(lane: Lane, seq: number): void {
    this.#db.exec('BEGIN IMMEDIATE');
    this.#db.prepare(`INSERT INTO quarantine(lane, seq, body) SELECT '${lane}', seq, body FROM ${lane} WHERE seq = ?`).run(seq);
    this.#removeRange(lane, seq, seq);
    this.#db.prepare('UPDATE counters SET quarantined = quarantined + 1 WHERE lane = ?').run(lane);
    // Kept for a look at what the disk did, the newest of them.
    this.#db.exec(`DELETE FROM quarantine WHERE rowid <= (SELECT max(rowid) FROM quarantine) - ${QUARANTINE_ROWS_MAX}`);
    this.#db.exec('COMMIT');
    this.#stats[lane].quarantined++;
  }

  #readStats(): OutboxStats {
    const read = (lane: Lane) => {
      const sums = this.#db.prepare(`SELECT count(*) AS records, coalesce(sum(length(body)), 0) AS bytes FROM ${lane}`).get();
      const sequence = this.#db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(lane);
      const counters = this.#db.prepare('SELECT dropped, quarantined FROM counters WHERE lane = ?').get(lane);
      return { ...sums, lastSeq: (sequence?.seq as number | undefined) ?? 0, ...counters };
    };
    return Object.fromEntries(this.#options.lanes.map((lane) => [lane, read(lane)])) as unknown as OutboxStats;
  }
}

// AUTOINCREMENT: a sequence number is never reused, not even after the queue ran empty.
const schemaOf = (lanes: readonly Lane[]) => `
${lanes
  .map(
    (lane) => `CREATE TABLE IF NOT EXISTS ${lane}(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, ts INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL);`,
  )
  .join('\n')}
CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine(lane TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB, PRIMARY KEY(lane, seq));
CREATE TABLE IF NOT EXISTS counters(lane TEXT PRIMARY KEY, dropped INTEGER NOT NULL DEFAULT 0, quarantined INTEGER NOT NULL DEFAULT 0);
INSERT OR IGNORE INTO counters(lane) VALUES ${lanes.map((lane) => `('${lane}')`).join(', ')};
`;

function openFile({ file, lanes, pagesMax }: WorkerOptions): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    // EXCLUSIVE: a second node on this folder does not start, instead of sending everything twice.
    db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
    db.exec('PRAGMA wal_autocheckpoint=4000; PRAGMA temp_store=MEMORY');
    if (pagesMax !== undefined) db.exec(`PRAGMA max_page_count=${pagesMax}`);
    const intact = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (intact.quick_check !== 'ok') throw new Error(`the file is damaged: ${intact.quick_check}`);
    db.exec(schemaOf(lanes));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isDiskFull(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === SQLITE_FULL;
}

/** The seam for a disk that cannot sync (0) and for a thread that dies (1): as many times as the number says. */
function takeFault(faults: Int32Array | undefined): void {
  const take = (i: number) => faults !== undefined && (faults[i] ?? 0) > 0 && Atomics.sub(faults, i, 1) > 0;
  if (take(0)) throw new Error('disk I/O error (injected)');
  if (take(1)) process.exit(1);
}

function joinLines(bodies: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const body of bodies) {
    joined.set(body, at);
    at += body.length;
    joined[at++] = NEWLINE;
  }
  return joined;
}
