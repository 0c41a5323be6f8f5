import type { CaseState, EventRecord, FilingPolicy } from '#grid/mod.ts';
import type { CaseStateCommand } from '#grid/wire/mod.ts';
import { type Actor, type CaseService, type CaseServiceDependencies, type Change, createCaseService } from '#ingest/cases/mod.ts';
import type { Database, DatabaseConfig } from '#ingest/database/mod.ts';
import { createMetrics, ManualClock, silentLog } from '#service/mod.ts';
import { openDatabase } from '../database/stores.ts';
import { photo, sha, T0 } from './records.ts';

export * from './records.ts';

export const SUPERVISION: Actor = { id: 'officer-s', roles: ['supervision'] };
export const COMMAND: Actor = { id: 'officer-c', roles: ['command'] };
export const ROADS: Actor = { id: 'roads-1', roles: ['department'], department: 'roads' };

type Window = Awaited<ReturnType<NonNullable<CaseServiceDependencies['windowsOf']>>>[number];

export interface Centre {
  cases: CaseService;
  database: Database;
  clock: ManualClock;
  sent: { edge: string; command: CaseStateCommand }[];
  changes: Change[];
  /** Maintenance windows; tests open them. */
  windows: Window[];
}

/** A case service on a store; several on one PostgreSQL are replicas. */
export async function openCentre(
  config: DatabaseConfig,
  policy?: FilingPolicy,
  wrap: (database: Database) => Database = (d) => d,
): Promise<Centre> {
  const clock = new ManualClock(T0 + 60_000);
  const database = wrap(await openDatabase(config, clock));
  const sent: Centre['sent'] = [];
  const changes: Change[] = [];
  const windows: Window[] = [];
  const cases = createCaseService({
    database,
    clock,
    log: silentLog,
    metrics: createMetrics(),
    commands: { send: (edge, command) => sent.push({ edge, command: command as CaseStateCommand }) },
    ...(policy ? { policy } : {}),
    windowsOf: async (from, to) => windows.filter((w) => w.to > from && w.from < to),
  });
  await cases.start();
  cases.on('change', (change) => changes.push(change));
  return { cases, database, clock, sent, changes, windows };
}

/** Accepts events that must all be accepted. */
export async function take(centre: Centre, ...events: EventRecord[]): Promise<void> {
  const verdicts = await centre.cases.accept(events);
  const bad = verdicts.find((v) => !v.ok);
  if (bad) throw new Error(`refused: ${JSON.stringify(bad)}`);
}

/** All cases, oldest first, without their times of opening. */
export async function allCases(centre: Centre) {
  const { items } = await centre.cases.list({ limit: 500 });
  return items.reverse();
}

/** Marks a file as arrived, as the evidence store does. */
export async function store(centre: Centre, name: string): Promise<void> {
  await centre.database.kysely
    .insertInto('evidence_files')
    .values({ sha256: sha(name), media_type: 'image/jpeg', bytes: 1000, stored_at: T0, sender: 'edge-1' })
    .execute();
  await centre.cases.evidenceStored(sha(name));
}

/** The main line from FILED on, and how to get to each state along it. */
export const MAIN_LINE: readonly [CaseState, string, Actor, object][] = [
  ['TO_DISPATCH', 'forward', SUPERVISION, {}],
  ['DISPATCHED', 'dispatch', COMMAND, { department: 'roads' }],
  ['HANDLING', 'receive', ROADS, {}],
  ['FEEDBACK', 'feedback', ROADS, { text: 'Cover put back', evidence: [photo('after')] }],
  ['CHECKING', 'forward-result', COMMAND, {}],
  ['TO_CLOSE', 'check-pass', SUPERVISION, {}],
  ['CLOSED', 'close', SUPERVISION, {}],
];

/** Takes a case from where it is (FILED, or further) along the main line up to a state. */
export async function advance(centre: Centre, id: string, until: CaseState): Promise<void> {
  const { state: now } = await centre.cases.get(id);
  const from = MAIN_LINE.findIndex(([state]) => state === now) + 1;
  const to = MAIN_LINE.findIndex(([state]) => state === until) + 1;
  for (const [state, name, actor, input] of MAIN_LINE.slice(from, to)) {
    const after = await centre.cases.transition(id, name, actor, input);
    if (after.state !== state) throw new Error(`${name} led to ${after.state}`);
  }
}
