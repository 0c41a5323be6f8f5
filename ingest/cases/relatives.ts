import type { CaseRelation, CaseRelativesAnswer } from '#grid/api/mod.ts';
import { DEGREE_M, distanceM } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { CasesTable, Queries } from '../database/mod.ts';
import { toCases } from './rows.ts';

type Relative = CaseRelativesAnswer['items'][number];

/** An open case of the same class this near may be the same thing: what stands between two cameras, or two people's pins. */
const NEAR_M = 50;
const RELATIVES_MAX = 20;

/** Cases that a person compares with this one: related ones first, then near ones, the nearest first. Throws GEWU_NOT_FOUND. */
export async function relativesOf(db: Queries, id: string): Promise<Relative[]> {
  const row = await db.selectFrom('cases').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no case ${id}`);
  const related = await relatedRows(db, row);
  const known = new Set(related.map((r) => r.id));
  const near = (await nearRows(db, row)).filter((r) => !known.has(r.id) && distanceM(r, row) <= NEAR_M);
  near.sort((a, b) => distanceM(a, row) - distanceM(b, row));
  const rows = [...related, ...near].slice(0, RELATIVES_MAX);
  const cases = await toCases(db, rows);
  return rows.map((other, i) => ({
    case: cases[i] as Relative['case'],
    relation: relationOf(row, other),
    distanceM: Math.round(distanceM(row, other) * 10) / 10,
  }));
}

function relatedRows(db: Queries, { id, merged_into, recurrence_of }: CasesTable): Promise<CasesTable[]> {
  const named = [merged_into, recurrence_of].filter((other) => other !== null);
  return db
    .selectFrom('cases')
    .selectAll()
    .where((eb) =>
      eb.or([eb('merged_into', '=', id), eb('recurrence_of', '=', id), ...(named.length === 0 ? [] : [eb('id', 'in', named)])]),
    )
    .orderBy('opened_at', 'desc')
    .orderBy('id')
    .limit(RELATIVES_MAX)
    .execute();
}

/** In a square around it, which the distance then cuts round. */
function nearRows(db: Queries, { id, class_key, lon, lat }: CasesTable): Promise<CasesTable[]> {
  const [dLat, dLon] = [NEAR_M / DEGREE_M, NEAR_M / (DEGREE_M * Math.cos((lat * Math.PI) / 180))];
  return db
    .selectFrom('cases')
    .selectAll()
    .where('class_key', '=', class_key)
    .where('finished_at', 'is', null)
    .where('id', '!=', id)
    .where('lat', '>=', lat - dLat)
    .where('lat', '<=', lat + dLat)
    .where('lon', '>=', lon - dLon)
    .where('lon', '<=', lon + dLon)
    .orderBy('opened_at', 'desc')
    .orderBy('id')
    .limit(RELATIVES_MAX)
    .execute();
}

function relationOf(one: CasesTable, other: CasesTable): CaseRelation {
  if (other.merged_into === one.id) return 'merged';
  if (one.merged_into === other.id) return 'master';
  if (one.recurrence_of === other.id) return 'earlier';
  return other.recurrence_of === one.id ? 'later' : 'near';
}
