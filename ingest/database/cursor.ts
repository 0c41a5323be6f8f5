import { GewuError } from '#service/mod.ts';

/** Lists are read page by page: a cursor holds the time and the id of the last row. */

export function writeCursor(at: number, id: string): string {
  return Buffer.from(`${at} ${id}`).toString('base64url');
}

/** Throws GEWU_REQUEST_INVALID for what is not one of ours. */
export function readCursor(cursor: string | undefined): { at: number; id: string } | null {
  if (cursor === undefined) return null;
  const m = /^(-?[0-9]{1,16}) ([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (m === null) throw new GewuError('GEWU_REQUEST_INVALID', 'this cursor is not one of ours');
  return { at: Number(m[1]), id: m[2] as string };
}
