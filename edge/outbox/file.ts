import { closeSync, fstatSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isDamage } from './errors.ts';
import type { SalvageReport, WorkerOptions } from './protocol.ts';
import { finishSwap, partialOf, salvage } from './salvage.ts';
import { schemaOf, writeSchema } from './schema.ts';
import { COUNTERS_KEY, StateTable } from './state.ts';
import { PAGE_BYTES, readWal, type Wal } from './wal.ts';

/** Up to here the whole file is checked at each start, which takes a fraction of a second; a larger one is found out row by row. */
const CHECK_BYTES_MAX = 64 * 1024 * 1024;

export interface OutboxFile {
  db: DatabaseSync;
  /** What was done about damage, if there was any. */
  salvage: SalvageReport | undefined;
  close(): void;
}

/**
 * Opens the outbox's file; one that is damaged is replaced by what can be read of it. `damage` says that it is known to be.
 * Throws when another node has it, or the disk does not let us.
 */
export function openFile(options: WorkerOptions, damage?: string): OutboxFile {
  const lock = lockFolder(options.file);
  try {
    finishSwap(options.file);
    rmSync(partialOf(options.file), { force: true });
    const { db, salvage } = openSound(options, damage);
    const close = () => {
      // The lock goes last: who has it finds the file settled.
      try {
        db.close();
      } finally {
        lock.close();
      }
    };
    return { db, salvage, close };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** An empty database, never written, whose lock lasts as long as the process: a second node on this folder does not start. */
function lockFolder(file: string, again = false): DatabaseSync {
  const lock = new DatabaseSync(`${file}.lock`);
  try {
    lock.exec('PRAGMA journal_mode=OFF; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (again || !isDamage(error)) throw error;
    rmSync(`${file}.lock`);
    return lockFolder(file, true);
  }
}

function openSound(options: WorkerOptions, known?: string): { db: DatabaseSync; salvage: SalvageReport | undefined } {
  // Read before SQLite opens the file: it forgets the log's damaged end.
  const wal = readWal(options.file);
  let db: DatabaseSync | undefined;
  let reason = known ?? damageBefore(options.file, wal);
  try {
    if (reason === null) {
      db = connect(options);
      reason = damageInside(db, options);
    }
    if (db && reason === null) return { db, salvage: undefined };
  } catch (error) {
    if (!isDamage(error)) {
      db?.close();
      throw error;
    }
    reason = (error as Error).message;
  }
  // The damaged file stays open until all is saved: closing it writes to it.
  const report = salvage({ options, wal, reason: reason as string, release: () => db?.close() });
  return { db: connect(options), salvage: report };
}

function connect({ file, pagesMax }: WorkerOptions): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    db.exec(`PRAGMA page_size=${PAGE_BYTES}; PRAGMA locking_mode=EXCLUSIVE`);
    const { journal_mode } = db.prepare('PRAGMA journal_mode=WAL').get() as { journal_mode: string };
    if (journal_mode !== 'wal') throw new Error(`the file system does not allow a write-ahead log: ${journal_mode}`);
    db.exec('PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA temp_store=MEMORY');
    if (pagesMax !== undefined) db.exec(`PRAGMA max_page_count=${pagesMax}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What SQLite would pass over in silence, or call an error of another kind; null when there is nothing. */
function damageBefore(file: string, wal: Wal | null): string | null {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return wal !== null && wal.all.size > 0 ? 'the file is gone, its log is not' : null;
  if (!headerHolds(file)) return 'the header of the file is damaged';
  const beyond = wal?.commitsBeyond ?? 0;
  // One commit alone behind a broken frame is what a power cut leaves, and was acknowledged to nobody; where looking is cheap, we look.
  return beyond > 1 || (beyond === 1 && size <= CHECK_BYTES_MAX)
    ? `${beyond} commits stand behind a damaged frame of the log`
    : null;
}

function headerHolds(file: string): boolean {
  const header = Buffer.alloc(100);
  const fd = openSync(file, 'r');
  try {
    if (fstatSync(fd).size < PAGE_BYTES) return false;
    readSync(fd, header, 0, header.length, 0);
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
  // Magic; page size, versions, reserved bytes, payload fractions. https://sqlite.org/fileformat2.html#the_database_header
  const versions = [header[18], header[19]];
  return (
    header.toString('latin1', 0, 16) === 'SQLite format 3\0' &&
    header.readUInt16BE(16) === PAGE_BYTES &&
    versions.every((v) => v === 1 || v === 2) &&
    header.readUInt32BE(20) === 0x00402020 &&
    [0, 1].includes(header.readUInt32BE(56))
  );
}

/** Null when all is as it should be; an empty file becomes ours. */
function damageInside(db: DatabaseSync, { lanes, file }: WorkerOptions): string | null {
  const tables = db.prepare('SELECT name, sql FROM sqlite_schema').all() as { name: string; sql: string | null }[];
  if (tables.length === 0 && pagesOf(db) <= 1) {
    writeSchema(db, lanes);
    return null;
  }
  const expected = new Map(schemaOf(lanes));
  if (tables.length !== expected.size || !tables.every(({ name, sql }) => expected.get(name) === sql))
    return 'its tables are not those of an outbox';
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= CHECK_BYTES_MAX) {
    const { quick_check } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (quick_check !== 'ok') return quick_check;
  }
  const state = new StateTable(db);
  if (state.get(COUNTERS_KEY) === undefined) return 'its counters are missing';
  return null;
}

function pagesOf(db: DatabaseSync): number {
  return (db.prepare('PRAGMA page_count').get() as { page_count: number }).page_count;
}
