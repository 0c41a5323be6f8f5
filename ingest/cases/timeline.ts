import { createHash } from 'node:crypto';
import type { CaseRole, CaseState } from '#grid/mod.ts';
import type { CaseTimelineTable, Queries } from '../database/mod.ts';
import type { TimelineEntry } from './types.ts';

/** A line of the timeline before it is chained. */
export type NewLine = Omit<CaseTimelineTable, 'case_id' | 'seq' | 'prev_hash' | 'hash'>;

/** SHA-256 over the line and the hash before it: a line that is changed or taken out breaks every later one. */
export function hashOf(line: Omit<CaseTimelineTable, 'hash'>): string {
  const { prev_hash, case_id, seq, at, actor, role, kind, name, from_state, to_state, input_json } = line;
  const parts = [prev_hash, case_id, seq, at, actor, role, kind, name, from_state, to_state, input_json];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Appends lines to a case whose row this transaction has written: the optimistic lock on it keeps the order. */
export async function appendLines(db: Queries, caseId: string, lines: readonly NewLine[], isNew: boolean): Promise<void> {
  if (lines.length === 0) return;
  const last = isNew ? undefined : await lastLine(db, caseId);
  let seq = last?.seq ?? 0;
  let prev = last?.hash ?? '';
  const rows = lines.map((line): CaseTimelineTable => {
    seq++;
    const row = { ...line, case_id: caseId, seq, prev_hash: prev };
    prev = hashOf(row);
    return { ...row, hash: prev };
  });
  await db.insertInto('case_timeline').values(rows).execute();
}

function lastLine(db: Queries, caseId: string) {
  return db
    .selectFrom('case_timeline')
    .select(['seq', 'hash'])
    .where('case_id', '=', caseId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The whole timeline, oldest first. */
export function readTimeline(db: Queries, caseId: string): Promise<CaseTimelineTable[]> {
  return db.selectFrom('case_timeline').selectAll().where('case_id', '=', caseId).orderBy('seq').execute();
}

/** The first line whose hash or place in the chain is wrong; null when the timeline is whole. */
export function brokenLine(lines: readonly CaseTimelineTable[]): number | null {
  let prev = '';
  for (const [i, line] of lines.entries()) {
    if (line.seq !== i + 1 || line.prev_hash !== prev || hashOf(line) !== line.hash) return i + 1;
    prev = line.hash;
  }
  return null;
}

export function toEntry(row: CaseTimelineTable): TimelineEntry {
  return {
    seq: row.seq,
    at: row.at,
    actor: row.actor,
    role: row.role as CaseRole,
    kind: row.kind as TimelineEntry['kind'],
    name: row.name,
    from: row.from_state as CaseState | null,
    to: row.to_state as CaseState,
    input: JSON.parse(row.input_json),
    hash: row.hash,
  };
}
