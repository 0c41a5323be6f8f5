import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { EdgeModelAnswer, RevisionAnswer } from '#grid/api/mod.ts';
import type { DesiredState } from '#grid/mod.ts';
import { type ConfigReport, DESIRED_BYTES_MAX, type ModelReport } from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { DesiredEdgesTable, DesiredRevisionsTable, Queries } from '../database/mod.ts';

/** Revisions of one edge that are kept; the oldest go. */
const REVISIONS_MAX = 1000;

export interface Head {
  revision: number;
  sha256: string;
  bytes: number;
}

/** The newest revision of each of these edges; those without one are missing. */
export async function readHeads(db: Queries, edges: readonly string[]): Promise<Map<string, Head>> {
  if (edges.length === 0) return new Map();
  const newest = db
    .selectFrom('desired_revisions')
    .select(({ fn }) => ['edge', fn.max('revision').as('revision')])
    .where('edge', 'in', edges)
    .groupBy('edge')
    .as('newest');
  const rows = await db
    .selectFrom('desired_revisions as r')
    .innerJoin(newest, (join) => join.onRef('newest.edge', '=', 'r.edge').onRef('newest.revision', '=', 'r.revision'))
    .select(['r.edge', 'r.revision', 'r.sha256', 'r.bytes'])
    .execute();
  return new Map(rows.map(({ edge, ...head }) => [edge, head]));
}

export async function readState(db: Queries, edge: string): Promise<{ revision: number; state: DesiredState }> {
  const row = await db
    .selectFrom('desired_revisions')
    .select(['revision', 'state_json'])
    .where('edge', '=', edge)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? { revision: 0, state: {} } : { revision: row.revision, state: JSON.parse(row.state_json) };
}

/** Throws GEWU_NOT_FOUND. */
export async function readRevision(db: Queries, edge: string, revision: number): Promise<DesiredRevisionsTable> {
  const row = await db
    .selectFrom('desired_revisions')
    .selectAll()
    .where('edge', '=', edge)
    .where('revision', '=', revision)
    .executeTakeFirst();
  if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `edge ${edge} has no revision ${revision}`);
  return row;
}

export async function listRevisions(db: Queries, edge: string, before: number, limit: number): Promise<RevisionAnswer[]> {
  const rows = await db
    .selectFrom('desired_revisions')
    .select(['edge', 'revision', 'by', 'reason', 'at', 'sha256', 'bytes', 'verdict', 'verdict_at', 'notes_json'])
    .where('edge', '=', edge)
    .where('revision', '<', before)
    .orderBy('revision', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toInfo);
}

export function toInfo(row: Omit<Selectable<DesiredRevisionsTable>, 'state_json'>): RevisionAnswer {
  const { revision, by, reason, at, sha256, bytes, verdict, verdict_at, notes_json } = row;
  const notes = notes_json === null ? [] : JSON.parse(notes_json);
  return { revision, by, reason, at, sha256, bytes, verdict: verdict as RevisionAnswer['verdict'], verdictAt: verdict_at, notes };
}

/** In the lock of the edge. Throws GEWU_PAYLOAD_TOO_LARGE. */
export async function writeRevision(
  db: Queries,
  {
    edge,
    revision,
    state,
    by,
    reason,
    at,
  }: { edge: string; revision: number; state: DesiredState; by: string; reason: string; at: number },
): Promise<Head> {
  const state_json = JSON.stringify(state);
  const bytes = Buffer.byteLength(state_json);
  if (bytes > DESIRED_BYTES_MAX)
    throw new GewuError('GEWU_PAYLOAD_TOO_LARGE', `the desired state is ${bytes} B; at most ${DESIRED_BYTES_MAX}`);
  const sha256 = createHash('sha256').update(state_json).digest('hex');
  const fresh = { verdict: null, verdict_at: null, notes_json: null };
  await db
    .insertInto('desired_revisions')
    .values({ edge, revision, state_json, sha256, bytes, by, reason, at, ...fresh })
    .execute();
  await db
    .deleteFrom('desired_revisions')
    .where('edge', '=', edge)
    .where('revision', '<=', revision - REVISIONS_MAX)
    .execute();
  return { revision, sha256, bytes };
}

export async function readReports(db: Queries, edges: readonly string[]): Promise<Map<string, DesiredEdgesTable>> {
  if (edges.length === 0) return new Map();
  const rows = await db.selectFrom('desired_edges').selectAll().where('edge', 'in', edges).execute();
  return new Map(rows.map((row) => [row.edge, row]));
}

/** The newest report of an edge counts, and of each revision what was said of it last. */
export async function writeReport(db: Queries, { edge, running, revision, verdict, notes, ts }: ConfigReport): Promise<void> {
  const notes_json = JSON.stringify(notes).replaceAll('\\u0000', '');
  await db
    .insertInto('desired_edges')
    .values({ edge, running, judged: revision, verdict, notes_json, at: ts })
    .onConflict((c) =>
      c
        .column('edge')
        .doUpdateSet((eb) => ({
          running: eb.ref('excluded.running'),
          judged: eb.ref('excluded.judged'),
          verdict: eb.ref('excluded.verdict'),
          notes_json: eb.ref('excluded.notes_json'),
          at: eb.ref('excluded.at'),
        }))
        .whereRef('desired_edges.at', '<=', 'excluded.at'),
    )
    .execute();
  if (verdict === 'ignored') return;
  await db
    .updateTable('desired_revisions')
    .set({ verdict, verdict_at: ts, notes_json })
    .where('edge', '=', edge)
    .where('revision', '=', revision)
    .where((eb) => eb.or([eb('verdict_at', 'is', null), eb('verdict_at', '<=', ts)]))
    .execute();
}

/** The newest report counts. */
export async function writeModelReport(db: Queries, { of: _, id: __, edge, ...report }: ModelReport): Promise<void> {
  await db
    .insertInto('edge_models')
    .values({ edge, report_json: JSON.stringify(report).replaceAll('\\u0000', ''), at: report.ts })
    .onConflict((c) =>
      c
        .column('edge')
        .doUpdateSet((eb) => ({ report_json: eb.ref('excluded.report_json'), at: eb.ref('excluded.at') }))
        .whereRef('edge_models.at', '<=', 'excluded.at'),
    )
    .execute();
}

export async function readModelReport(db: Queries, edge: string): Promise<EdgeModelAnswer | null> {
  const row = await db.selectFrom('edge_models').select('report_json').where('edge', '=', edge).executeTakeFirst();
  return row === undefined ? null : JSON.parse(row.report_json);
}

export async function isPackageKnown(db: Queries, sha256: string): Promise<boolean> {
  return (await db.selectFrom('model_packages').select('sha256').where('sha256', '=', sha256).executeTakeFirst()) !== undefined;
}
