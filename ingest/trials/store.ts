import { sql } from 'kysely';
import type { EdgeCandidateAnswer } from '#grid/api/mod.ts';
import type { EventRecord } from '#grid/mod.ts';
import type { CandidateReport, WatchReport } from '#grid/wire/mod.ts';
import type { Queries, TrialWatchesTable } from '../database/mod.ts';
import type { Raised } from './compare.ts';

/** Events of a comparison; the newest. */
const EVENTS_MAX = 20_000;
/** Pieces of a comparison: a year of 8 cameras. */
const WATCHES_MAX = 100_000;

/** The newest report counts. */
export async function writeCandidateReport(db: Queries, { of: _, id: __, edge, ...report }: CandidateReport): Promise<void> {
  await db
    .insertInto('edge_candidates')
    .values({ edge, report_json: JSON.stringify(report).replaceAll('\\u0000', ''), at: report.ts })
    .onConflict((c) =>
      c
        .column('edge')
        .doUpdateSet((eb) => ({ report_json: eb.ref('excluded.report_json'), at: eb.ref('excluded.at') }))
        .whereRef('edge_candidates.at', '<=', 'excluded.at'),
    )
    .execute();
}

/** A piece grows: of its reports, in whatever order they come, the longest counts. */
export async function writeWatch(db: Queries, { edge, id: camera, package: sha256, ...piece }: WatchReport): Promise<void> {
  const { since, until, model, against, watchedMs: watched_ms, pictures, skipped } = piece;
  await db
    .insertInto('trial_watches')
    .values({ edge, camera, package: sha256, since, until, model, against, watched_ms, pictures, skipped })
    .onConflict((c) =>
      c
        .columns(['edge', 'camera', 'package', 'since'])
        .doUpdateSet((eb) => ({
          until: eb.ref('excluded.until'),
          watched_ms: eb.ref('excluded.watched_ms'),
          pictures: eb.ref('excluded.pictures'),
          skipped: eb.ref('excluded.skipped'),
        }))
        .whereRef('trial_watches.until', '<=', 'excluded.until'),
    )
    .execute();
}

export async function readCandidates(db: Queries): Promise<{ edge: string; candidate: EdgeCandidateAnswer }[]> {
  const rows = await db.selectFrom('edge_candidates').selectAll().orderBy('edge').execute();
  return rows.map(({ edge, report_json }) => ({ edge, candidate: JSON.parse(report_json) }));
}

export function readWatches(db: Queries, sha256?: string): Promise<TrialWatchesTable[]> {
  let query = db.selectFrom('trial_watches').selectAll();
  if (sha256 !== undefined) query = query.where('package', '=', sha256);
  return query.orderBy('since', 'desc').limit(WATCHES_MAX).execute();
}

/** What the two have raised on the watched cameras: while both looked, or before and still standing then. */
export async function readRaised(db: Queries, watches: readonly TrialWatchesTable[]): Promise<Raised[]> {
  const pieces = Map.groupBy(watches, (w) => w.camera);
  if (pieces.size === 0) return [];
  const since = Math.min(...watches.map((w) => w.since));
  const end = Math.max(...watches.map((w) => w.until));
  const rows = await db
    .selectFrom('events as e')
    .leftJoin('verdicts as v', 'v.event', 'e.subject')
    .select(['e.source', 'e.started_at', 'e.confirmed_at', 'e.cleared_at', 'e.record_json', 'v.verdict'])
    .where('e.origin', '=', 'camera')
    .where('e.source', 'in', [...pieces.keys()])
    .where('e.confirmed_at', '<=', end)
    .where((eb) => eb.or([eb('e.cleared_at', 'is', null), eb('e.cleared_at', '>=', since)]))
    .orderBy(sql`e.confirmed_at`, 'desc')
    .limit(EVENTS_MAX)
    .execute();
  return rows.flatMap((row): Raised[] => {
    const { origin, suppressed } = (JSON.parse(row.record_json) as EventRecord).data;
    if (origin.by !== 'camera' || suppressed === 'fixture') return [];
    const own = pieces.get(row.source) ?? [];
    const side = own.some((w) => w.model === origin.model)
      ? 'candidate'
      : own.some((w) => w.against === origin.model)
        ? 'active'
        : null;
    if (side === null) return [];
    const name = side === 'candidate' ? ('model' as const) : ('against' as const);
    const counts = own.some((w) => w[name] === origin.model && w.since <= row.confirmed_at && row.confirmed_at <= w.until);
    const { camera, zone, detects = '' } = origin;
    const [from, to] = [row.started_at, row.cleared_at ?? end];
    return [{ side, camera, zone, detects, from, to, counts, verdict: row.verdict as Raised['verdict'] }];
  });
}
