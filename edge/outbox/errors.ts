/** The file holds what we never wrote. */
export class Damaged extends Error {}

/** The events do not fit even without all readings, or the disk is full. */
export class OutboxFull extends Error {}

/** https://sqlite.org/rescode.html */
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;
const SQLITE_IOERR_READ = 266;
const SQLITE_IOERR_SHORT_READ = 522;

/** Extended result code of SQLite; 0 for every other error. */
const codeOf = (error: unknown): number => (error as { errcode?: number }).errcode ?? 0;

/** The file does not hold what was written, or a sector cannot be read: not that the file cannot be had. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return (
    error instanceof Damaged ||
    // A number that we never wrote.
    (error as { code?: string }).code === 'ERR_OUT_OF_RANGE' ||
    [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CONSTRAINT].includes(code & 0xff) ||
    [SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ].includes(code)
  );
}

export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === SQLITE_FULL;
}
