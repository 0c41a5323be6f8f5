import type { CaseRole, CaseState } from '#grid/mod.ts';
import { chainHash } from '#service/mod.ts';
import type { CaseTimelineTable, Queries } from '../database/mod.ts';
import type { TimelineEntry } from './types.ts';

/** A line of the timeline before it is chained. */
export type NewLine = Omit<CaseTimelineTable, 'case_id' | 'seq' | 'prev_hash' | 'hash'>;

export function hashOf(line: Omit<CaseTimelineTable, 'hash'>): string {
  const { prev_hash, case_id, seq, at, actor, role, kind, name, from_state, to_state, input_json } = line;
  return chainHash([prev_hash, case_id, seq, at, actor, role, kind, name, from_state, to_state, input_json]);
}

export interface NewLines {
  caseId: string;
  lines: readonly NewLine[];
  /** The case has no lines yet. */
  isNew: boolean;
}

/** Appends lines to cases whose rows this transaction has written: the optimistic lock on them keeps the order. */
export async function appendLines(db: Queries, cases: readonly NewLines[]): Promise<void> {
  const longer = cases.filter((c) => c.lines.length > 0);
  const last = await lastLines(
    db,
    longer.filter((c) => !c.isNew).map((c) => c.caseId),
  );
  const rows = longer.flatMap(({ caseId, lines }) => chained(caseId, lines, last.get(caseId)));
  if (rows.length > 0) await db.insertInto('case_timeline').values(rows).execute();
}

type LastLine = Pick<CaseTimelineTable, 'case_id' | 'seq' | 'hash'>;

function chained(caseId: string, lines: readonly NewLine[], last: LastLine | undefined): CaseTimelineTable[] {
  let seq = last?.seq ?? 0;
  let prev = last?.hash ?? '';
  return lines.map((line) => {
    seq++;
    const row = { ...line, case_id: caseId, seq, prev_hash: prev };
    prev = hashOf(row);
    return { ...row, hash: prev };
  });
}

async function lastLines(db: Queries, caseIds: readonly string[]): Promise<ReadonlyMap<string, LastLine>> {
  if (caseIds.length === 0) return new Map();
  const lengths = db
    .selectFrom('case_timeline')
    .select((eb) => ['case_id', eb.fn.max('seq').as('length')])
    .where('case_id', 'in', caseIds)
    .groupBy('case_id')
    .as('l');
  const rows = await db
    .selectFrom(lengths)
    .innerJoin('case_timeline as t', (join) => join.onRef('t.case_id', '=', 'l.case_id').onRef('t.seq', '=', 'l.length'))
    .select(['t.case_id', 't.seq', 't.hash'])
    .execute();
  return new Map(rows.map((row) => [row.case_id, row]));
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
