import { sql } from 'kysely';
import { type Case, SEVERITIES, type Severity } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { pageOf, type Queries, readCursor } from '../database/mod.ts';
import { hourOf } from './hours.ts';
import { toCases, toStoredEvent } from './rows.ts';
import type { CaseFilter, EventFilter, EventHours, EventHoursFilter, Page, StoredEvent, Storm } from './types.ts';

/**
 * Lists for people: newest first, page by page with a cursor (time and id of the last row), never by offset. Open cases are found by
 * `finished_at`, which has an index: those that are over pile up for years.
 */

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 500;

export async function listCases(db: Queries, filter: CaseFilter): Promise<Page<Case>> {
  const limit = limitOf(filter.limit);
  let query = db.selectFrom('cases').selectAll();
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.open !== undefined) query = query.where('finished_at', filter.open ? 'is' : 'is not', null);
  if (filter.severity !== undefined) query = query.where('severity', '=', filter.severity);
  if (filter.cell !== undefined) query = query.where('cell', '=', filter.cell);
  if (filter.edge !== undefined) query = query.where('edge', '=', filter.edge);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  if (filter.since !== undefined) query = query.where('opened_at', '>=', filter.since);
  const range = classRange(filter.class);
  if (range) query = query.where((eb) => eb.or([eb('class_key', '=', range.exact), inside(range)]));
  const after = readCursor(filter.cursor);
  if (after) query = query.where(sql<boolean>`(opened_at, id) < (${after.at}, ${after.id})`);
  const rows = await query
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const { page, cursor } = pageOf(rows, limit, (row) => [row.opened_at, row.id]);
  return { items: await toCases(db, page), cursor };
}

export async function countOpen(db: Queries): Promise<{ cell: string; severity: Severity; count: number }[]> {
  const rows = await db
    .selectFrom('cases')
    .select(['cell', 'severity', (eb) => eb.fn.countAll<number>().as('count')])
    .where('finished_at', 'is', null)
    .groupBy(['cell', 'severity'])
    .execute();
  return rows.map(({ cell, severity, count }) => ({ cell, severity: severity as Severity, count: Number(count) }));
}

const severityRank = sql<number>`case severity ${sql.join(
  SEVERITIES.map((severity, rank) => sql`when ${severity} then ${sql.lit(rank)}`),
  sql` `,
)} else 9 end`;

/** Open cases of one class that were opened since then, at least `casesMin` of them: the most urgent first. */
export async function storms(db: Queries, since: number, casesMin: number): Promise<Storm[]> {
  const rows = await db
    .selectFrom('cases')
    .select(({ fn }) => [
      'class_key',
      'flag',
      'code',
      'fault',
      fn.countAll<number>().as('count'),
      fn.count<number>('cell').distinct().as('cells'),
      fn.min<number>('opened_at').as('first'),
      fn.max<number>('last_seen_at').as('last'),
      fn.min<number>(severityRank).as('rank'),
    ])
    .where('finished_at', 'is', null)
    .where('opened_at', '>=', since)
    .groupBy(['class_key', 'flag', 'code', 'fault'])
    .having(({ fn }) => fn.countAll<number>(), '>=', casesMin)
    .execute();
  return rows
    .map((row) => ({
      classKey: row.class_key,
      class: { flag: row.flag as 1 | 2, code: row.code, ...(row.fault === null ? {} : { fault: row.fault }) },
      severity: SEVERITIES[Number(row.rank)] ?? 'low',
      count: Number(row.count),
      cells: Number(row.cells),
      openedAt: Number(row.first),
      lastSeenAt: Number(row.last),
    }))
    .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || b.count - a.count);
}

/** Open cases, the most urgent first, without those that are part of a storm since then. */
export async function urgentCases(db: Queries, limit: number, stormy: readonly string[], since: number): Promise<Case[]> {
  let query = db.selectFrom('cases').selectAll().where('finished_at', 'is', null);
  if (stormy.length > 0) query = query.where((eb) => eb.or([eb('class_key', 'not in', stormy), eb('opened_at', '<', since)]));
  const rows = await query.orderBy(severityRank).orderBy('last_seen_at', 'desc').orderBy('id').limit(limit).execute();
  return toCases(db, rows);
}

export async function listEvents(db: Queries, filter: EventFilter): Promise<Page<StoredEvent>> {
  const limit = limitOf(filter.limit);
  let query = db.selectFrom('events').selectAll();
  if (filter.cell !== undefined) query = query.where('cell', '=', filter.cell);
  if (filter.edge !== undefined) query = query.where('edge', '=', filter.edge);
  if (filter.by !== undefined) query = query.where('origin', '=', filter.by);
  if (filter.source !== undefined) query = query.where('source', '=', filter.source);
  if (filter.active !== undefined) query = query.where('cleared_at', filter.active ? 'is' : 'is not', null);
  if (filter.since !== undefined) query = query.where('confirmed_at', '>=', filter.since);
  if (filter.judged !== undefined)
    query = query.where(({ exists, not, selectFrom }) => {
      const verdict = exists(selectFrom('verdicts').select('event').whereRef('verdicts.event', '=', 'events.subject'));
      return filter.judged ? verdict : not(verdict);
    });
  const range = classRange(filter.class);
  if (range) query = query.where((eb) => eb.or([eb('class_key', '=', range.exact), inside(range)]));
  const after = readCursor(filter.cursor);
  if (after) query = query.where(sql<boolean>`(confirmed_at, subject) < (${after.at}, ${after.id})`);
  const rows = await query
    .orderBy('confirmed_at', 'desc')
    .orderBy('subject', 'desc')
    .limit(limit + 1)
    .execute();
  const { page, cursor } = pageOf(rows, limit, (row) => [row.confirmed_at, row.subject]);
  return { items: page.map(toStoredEvent), cursor };
}

export async function countEventsByHour(db: Queries, { since, by, class: of }: EventHoursFilter): Promise<EventHours> {
  const from = hourOf(since);
  let query = db
    .selectFrom('event_hours')
    .select(['hour_at', (eb) => eb.fn.sum<number>('count').as('count')])
    .where('hour_at', '>=', from);
  if (by !== undefined) query = query.where('origin', '=', by);
  const range = classRange(of);
  if (range) query = query.where((eb) => eb.or([eb('class_key', '=', range.exact), inside(range)]));
  const rows = await query
    .groupBy('hour_at')
    .having(({ fn }) => fn.sum<number>('count'), '>', 0)
    .orderBy('hour_at')
    .execute();
  return { from, items: rows.map((row) => ({ at: row.hour_at, count: Number(row.count) })) };
}

function limitOf(limit = LIMIT_DEFAULT): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    throw new GewuError('GEWU_REQUEST_INVALID', `limit is a whole number from 1 to ${LIMIT_MAX}`);
  return limit;
}

interface ClassRange {
  exact: string;
  from: string;
  below: string;
}

/** `1:0102` finds itself and `1:0102:...`; `;` follows `:` in ASCII. */
function classRange(prefix: string | undefined): ClassRange | null {
  return prefix === undefined ? null : { exact: prefix, from: `${prefix}:`, below: `${prefix};` };
}

function inside({ from, below }: ClassRange) {
  return sql<boolean>`(class_key >= ${from} and class_key < ${below})`;
}
