import { randomUUID } from 'node:crypto';
import type { Clock } from '#service/mod.ts';
import type { Database, Queries, UpkeepCasesTable, UpkeepMembersTable } from '../database/mod.ts';
import type { Registry } from '../devices/mod.ts';
import type { UpkeepConfig } from './config.ts';
import { readCover, subjectOf } from './cover.ts';
import { type Fault, faultKey, faultsNow } from './faults.ts';
import { gather, type Heap } from './gather.ts';

export interface CasesDependencies {
  config: UpkeepConfig;
  edgeSilentMs: number;
  registry: Registry;
  database: Database;
  devices: Parameters<typeof faultsNow>[0]['devices'];
  clock: Clock;
}

/** Who fixes what gets well by itself. */
export const MACHINE = 'gewu';
const UPKEEP_LOCK = { name: 'upkeep', mode: 'exclusive' } as const;
/** What comes back within this is the same fault: a case opened anew for each would be a flood. */
const REOPEN_MS = 10 * 60_000;
/** Members of a case; a feeder has fewer. */
const MEMBERS_MAX = 10_000;
/** Rows of one insert. */
const CHUNK = 100;

interface OpenCase {
  row: UpkeepCasesTable;
  members: UpkeepMembersTable[];
}

/** Opens, joins and closes maintenance cases by what is sick now. One transaction a look; of several replicas one at a time. */
export async function lookOnce(deps: CasesDependencies): Promise<void> {
  const { database, registry, clock } = deps;
  const now = clock.now();
  const cover = await readCover(database.kysely, registry, now);
  const mended = await readMended(database.kysely, now, deps.config);
  const { faults, silent } = await faultsNow(deps, { cover, mended, now });
  await database.transaction(
    async (db) => {
      const open = await readOpen(db);
      const left = await updateMembers(db, open, { faults, silent, registry, now });
      await openNew(db, left, { ...deps, faults, now });
    },
    { locks: [UPKEEP_LOCK] },
  );
}

/** When faults were fixed by a person's word, as far back as a grace reaches. */
async function readMended(db: Queries, now: number, config: UpkeepConfig): Promise<Map<string, number>> {
  const graceMs = Math.max(config.graceEdgeS, config.graceCameraS, config.graceDeviceS) * 1000;
  const rows = await db
    .selectFrom('upkeep_cases as c')
    .innerJoin('upkeep_members as m', 'm.case_id', 'c.id')
    .select(['c.cause', 'c.fixed_at', 'm.subject_of', 'm.subject_id'])
    .where('c.state', '=', 'fixed')
    .where('c.fixed_by', '!=', MACHINE)
    .where('c.fixed_at', '>', now - graceMs)
    .orderBy('c.fixed_at')
    .execute();
  return new Map(rows.map((r) => [faultKey(r.cause, { of: r.subject_of, id: r.subject_id }), r.fixed_at ?? 0]));
}

async function readOpen(db: Queries): Promise<OpenCase[]> {
  const rows = await db.selectFrom('upkeep_cases').selectAll().where('state', '!=', 'fixed').execute();
  const members = await db
    .selectFrom('upkeep_members')
    .selectAll()
    .where('case_id', 'in', db.selectFrom('upkeep_cases').select('id').where('state', '!=', 'fixed'))
    .execute();
  const byCase = Map.groupBy(members, (m) => m.case_id);
  return rows.map((row) => ({ row, members: byCase.get(row.id) ?? [] }));
}

interface Look {
  faults: readonly Fault[];
  silent: ReadonlyMap<string, number>;
  registry: Registry;
  now: number;
}

/** Writes down who got well and who fell sick again; closes what is well. Returns what is still open. */
async function updateMembers(
  db: Queries,
  open: readonly OpenCase[],
  { faults, silent, registry, now }: Look,
): Promise<OpenCase[]> {
  const sick = new Map(faults.map((f) => [faultKey(f.cause, f.thing), f]));
  const left: OpenCase[] = [];
  for (const { row, members } of open) {
    const next: UpkeepMembersTable[] = [];
    for (const member of members) {
      const thing = { of: member.subject_of, id: member.subject_id };
      const fault = sick.get(faultKey(row.cause, thing));
      const edge =
        thing.of === 'edge' ? '' : (registry.devices.get(thing.id)?.edge ?? registry.cameras.get(thing.id)?.edge ?? '');
      // Of what hangs on a silent edge nobody knows anything.
      const unknown = fault === undefined && silent.has(edge);
      const changed = unknown ? member : { ...member, ...stateNow(fault, member, now) };
      if (isOther(changed, member)) await writeMember(db, changed);
      next.push(changed);
    }
    if (next.every((m) => m.well_at !== null)) await close(db, row.id, { fixed_at: now, note: row.note });
    else left.push({ row, members: next });
  }
  return left;
}

function stateNow(fault: Fault | undefined, member: UpkeepMembersTable, now: number): Partial<UpkeepMembersTable> {
  if (fault === undefined) return { well_at: member.well_at ?? now };
  return { state: fault.state, reason: fault.reason, since: fault.since, well_at: null };
}

const isOther = (a: UpkeepMembersTable, b: UpkeepMembersTable): boolean =>
  a.state !== b.state || a.reason !== b.reason || a.since !== b.since || a.well_at !== b.well_at;

async function writeMember(db: Queries, { case_id, subject_of, subject_id, ...set }: UpkeepMembersTable): Promise<void> {
  await db
    .updateTable('upkeep_members')
    .set(set)
    .where('case_id', '=', case_id)
    .where('subject_of', '=', subject_of)
    .where('subject_id', '=', subject_id)
    .execute();
}

async function close(db: Queries, id: string, { fixed_at, note }: { fixed_at: number; note: string | null }): Promise<void> {
  const set = { state: 'fixed', fixed_at, fixed_by: MACHINE, note };
  await db.updateTable('upkeep_cases').set(set).where('id', '=', id).execute();
}

/** Ripe faults that are in no case become one: their own, or one with others. */
async function openNew(
  db: Queries,
  open: readonly OpenCase[],
  look: CasesDependencies & Pick<Look, 'faults' | 'now'>,
): Promise<void> {
  const { config, registry, faults, now } = look;
  const held = new Map(
    open.flatMap((c) => c.members.map((m) => [faultKey(c.row.cause, { of: m.subject_of, id: m.subject_id }), c] as const)),
  );
  const isAlone = (c: OpenCase) => {
    const { of, id } = subjectOf(c.row);
    return c.members.length === 1 && c.members[0]?.subject_of === of && c.members[0].subject_id === id;
  };
  // Those that have a case of their own count too: with others they may be one.
  const candidates = faults.filter((f) => {
    const own = held.get(faultKey(f.cause, f.thing));
    return own === undefined ? f.ripe : isAlone(own);
  });
  const several = open.filter((c) => !isAlone(c));
  const openKeys = new Set(several.map((c) => faultKey(c.row.cause, subjectOf(c.row))));
  for (const heap of gather(candidates, { config, registry, open: openKeys })) {
    const fresh = heap.faults.filter((f) => !held.has(faultKey(f.cause, f.thing)));
    if (fresh.length === 0 && heap.faults.length < 2) continue;
    const into = several.find((c) => faultKey(c.row.cause, subjectOf(c.row)) === faultKey(heap.cause, heap.subject));
    const id = into?.row.id ?? (await reopened(db, heap, now)) ?? (await create(db, heap, now));
    await join(db, id, heap.faults);
    for (const f of heap.faults) {
      const own = held.get(faultKey(f.cause, f.thing));
      if (own !== undefined && own.row.id !== id) await close(db, own.row.id, { fixed_at: now, note: wentInto(id) });
    }
  }
}

/** What stands as the note of a case whose fault another case has now. A person reads it, in either language. */
const wentInto = (id: string): string => `> ${id}`;

/** The case of the same thing that was well for a moment only. */
async function reopened(db: Queries, { cause, subject }: Heap, now: number): Promise<string | null> {
  const row = await db
    .selectFrom('upkeep_cases')
    .select(['id', 'assigned_to'])
    .where('state', '=', 'fixed')
    .where('fixed_by', '=', MACHINE)
    .where('cause', '=', cause)
    .where('subject_of', '=', subject.of)
    .where('subject_id', '=', subject.id)
    .where('fixed_at', '>', now - REOPEN_MS)
    .orderBy('fixed_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  const set = { state: row.assigned_to === null ? 'open' : 'assigned', fixed_at: null, fixed_by: null, note: null };
  await db.updateTable('upkeep_cases').set(set).where('id', '=', row.id).execute();
  return row.id;
}

async function create(db: Queries, { cause, subject, edge }: Heap, now: number): Promise<string> {
  const row: UpkeepCasesTable = {
    id: randomUUID(),
    cause,
    subject_of: subject.of,
    subject_id: subject.id,
    edge,
    state: 'open',
    opened_at: now,
    acknowledged_at: null,
    acknowledged_by: null,
    assigned_to: null,
    fixed_at: null,
    fixed_by: null,
    note: null,
  };
  await db.insertInto('upkeep_cases').values(row).execute();
  return row.id;
}

async function join(db: Queries, id: string, faults: readonly Fault[]): Promise<void> {
  const rows = faults.slice(0, MEMBERS_MAX).map(({ thing, state, reason, since }): UpkeepMembersTable => {
    return { case_id: id, subject_of: thing.of, subject_id: thing.id, state, reason, since, well_at: null };
  });
  for (let i = 0; i < rows.length; i += CHUNK)
    await db
      .insertInto('upkeep_members')
      .values(rows.slice(i, i + CHUNK))
      .onConflict((c) =>
        c.columns(['case_id', 'subject_of', 'subject_id']).doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          reason: eb.ref('excluded.reason'),
          since: eb.ref('excluded.since'),
          well_at: null,
        })),
      )
      .execute();
}
