import { GewuError } from '#service/mod.ts';

/** Lists are read page by page: a cursor holds the time and the id of the last row. */

/**
 * The page of rows of which one more was asked for than it holds, and the cursor of the next one; null where nothing follows.
 * `placeOf` is what the rows are sorted by.
 */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => readonly [at: number, id: string],
): { page: Row[]; cursor: string | null } {
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return { page, cursor: last === undefined ? null : Buffer.from(placeOf(last).join(' ')).toString('base64url') };
}

/** Throws GEWU_REQUEST_INVALID for what is not one of ours. */
export function readCursor(cursor: string | undefined): { at: number; id: string } | null {
  if (cursor === undefined) return null;
  const m = /^(-?[0-9]{1,16}) ([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (m === null) throw new GewuError('GEWU_REQUEST_INVALID', 'this cursor is not one of ours');
  return { at: Number(m[1]), id: m[2] as string };
}
