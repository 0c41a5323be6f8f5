import { DatabaseSync } from 'node:sqlite';

/**
 *   series   one per kind, cell, device, edge: the tags
 *   shape    a list of fields, `tilt_deg:n,opened:b`: stored once, not in every row
 *   point    raw; `us` is UTC microseconds, values in the order of the shape, `2.5,f`
 *   minute, hour   roll-ups, see `row.ts`
 *   dirty    hours that got data since they were rolled up
 *   meta     `floor`: UTC ms below which raw was dropped for ever
 *
 * The key of a point is series + us, so that a replay lands on itself. The page cache holds the leaves that the series
 * are being appended to.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS series (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, cell TEXT NOT NULL, device TEXT NOT NULL, edge TEXT NOT NULL,
  UNIQUE (device, kind, cell, edge)) STRICT;
CREATE TABLE IF NOT EXISTS shape (id INTEGER PRIMARY KEY, fields TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS field (kind TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS point (
  series INTEGER NOT NULL, us INTEGER NOT NULL, shape INTEGER NOT NULL, vals TEXT NOT NULL, PRIMARY KEY (series, us)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS minute (
  series INTEGER NOT NULL, ts INTEGER NOT NULL, shape INTEGER NOT NULL, stats TEXT NOT NULL, PRIMARY KEY (series, ts)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hour (
  series INTEGER NOT NULL, ts INTEGER NOT NULL, shape INTEGER NOT NULL, stats TEXT NOT NULL, PRIMARY KEY (series, ts)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dirty (series INTEGER NOT NULL, hour INTEGER NOT NULL, PRIMARY KEY (series, hour)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

const BUSY_MS = 5_000;
const CACHE_KIB = 65_536;

/** Opens for writing, or as a reader that never holds up the writer. */
export function openDatabase(file: string, { readOnly }: { readOnly: boolean }): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly, timeout: BUSY_MS });
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY;`);
  if (!readOnly) {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;');
    db.exec(SCHEMA);
  }
  return db;
}
