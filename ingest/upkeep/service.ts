import { sql } from 'kysely';
import type { Thing, UpkeepCaseAnswer, UpkeepCaseDetail, UpkeepCause, UpkeepState } from '#grid/api/mod.ts';
import type { Site } from '#grid/mod.ts';
import type { HealthState } from '#grid/wire/mod.ts';
import { type Clock, FreshAnswer, Gauge, GewuError, type Log, type Metrics } from '#service/mod.ts';
import { type Asker, AUDIT_LOCK, type Audit, actorOf } from '../audit/mod.ts';
import type { Page } from '../cases/mod.ts';
import { type Database, pageOf, type Queries, readCursor, type UpkeepCasesTable } from '../database/mod.ts';
import type { DesiredService } from '../desired/mod.ts';
import type { DeviceService, Registry } from '../devices/mod.ts';
import { lookOnce } from './cases.ts';
import type { UpkeepConfig } from './config.ts';
import { keyOf, readCover, subjectOf } from './cover.ts';
import { Groups } from './groups.ts';
import { scoresOf } from './score.ts';
import type { ThingUpkeep, UpkeepCaseFilter, UpkeepService } from './types.ts';
import { Windows } from './windows.ts';

export interface UpkeepDependencies {
  config: UpkeepConfig;
  /** As `health.edgeSilentS` says. */
  edgeSilentMs: number;
  edges: readonly { id: string; site: Site | null }[];
  registry: Registry;
  database: Database;
  devices: DeviceService;
  desired: Pick<DesiredService, 'get' | 'setMaintenance'>;
  audit: Audit;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** For what begins or ends by time alone: a grace, a window. */
const LOOK_MS = 5_000;
/** After a change of health; all that change meanwhile are one look. */
const SOON_MS = 1_000;
const TRIM_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LIMIT_DEFAULT = 100;
const THINGS_SHOWN_MAX = 500;
/** Scores are asked for by every open page. */
const SCORES_FRESH_MS = 2_000;

/** Builds the service; database and devices must be started before it, and stopped after it. */
export function createUpkeepService(dependencies: UpkeepDependencies): UpkeepService {
  return new Upkeep(dependencies);
}

class Upkeep implements UpkeepService {
  readonly #deps: UpkeepDependencies;
  readonly #windows: Windows;
  readonly #groups: Groups;
  readonly #open: Gauge;
  #timers: NodeJS.Timeout[] = [];
  #soon: NodeJS.Timeout | null = null;
  #unsubscribe = () => {};
  #looking: Promise<void> | null = null;
  #startedAt = Number.POSITIVE_INFINITY;
  readonly #scores: FreshAnswer<Awaited<ReturnType<UpkeepService['scores']>>>;

  constructor(dependencies: UpkeepDependencies) {
    this.#deps = dependencies;
    this.#windows = new Windows(dependencies);
    this.#groups = new Groups(dependencies);
    const { database, registry, clock, devices } = dependencies;
    const ask = async () => scoresOf({ registry, devices }, await readCover(database.kysely, registry, clock.now()), clock.now());
    this.#scores = new FreshAnswer({ freshMs: SCORES_FRESH_MS, clock, ask });
    this.#open = new Gauge({
      name: 'gewu_upkeep_cases_open',
      help: 'Maintenance cases that are not fixed',
      registers: [dependencies.metrics],
    });
  }

  async start(): Promise<void> {
    this.#startedAt = this.#deps.clock.monotonic();
    const { log, devices } = this.#deps;
    const say = (what: string) => (error: unknown) => log.warn({ err: error }, `${what}; tried again`);
    const look = () => void this.#lookSoon().catch(say('faults could not be looked for'));
    this.#timers = [
      setInterval(look, LOOK_MS),
      setInterval(() => void this.#trim().catch(say('old maintenance could not be trimmed')), TRIM_MS),
    ];
    for (const timer of this.#timers) timer.unref();
    this.#unsubscribe = devices.on('change', () => {
      this.#soon ??= setTimeout(() => {
        this.#soon = null;
        look();
      }, SOON_MS).unref();
    });
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    if (this.#soon) clearTimeout(this.#soon);
    this.#soon = null;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    await this.#looking?.catch(() => undefined);
  }

  async of(things: readonly Thing[]): Promise<Map<string, ThingUpkeep>> {
    const { database, registry, clock } = this.#deps;
    const cover = await readCover(database.kysely, registry, clock.now());
    const groups = await this.#groups.of(things);
    return new Map(
      things.map((thing) => [keyOf(thing), { maintenance: cover.of(thing), groups: groups.get(keyOf(thing)) ?? [] }]),
    );
  }

  windows: UpkeepService['windows'] = (filter) => this.#windows.list(filter);
  windowsOf: UpkeepService['windowsOf'] = (from, to) => this.#windows.span(from, to);
  begin: UpkeepService['begin'] = (window, by) => this.#windows.begin(window, by);
  end: UpkeepService['end'] = (what, by) => this.#windows.end(what, by);
  groups: UpkeepService['groups'] = () => this.#groups.list();
  group: UpkeepService['group'] = (id) => this.#groups.get(id);
  putGroup: UpkeepService['putGroup'] = (id, name, by) => this.#groups.put(id, name, by);
  changeGroup: UpkeepService['changeGroup'] = (id, change, by) => this.#groups.change(id, change, by);
  removeGroup: UpkeepService['removeGroup'] = (id, by) => this.#groups.remove(id, by);

  async cases({ state, open, cause, edge, limit = LIMIT_DEFAULT, cursor }: UpkeepCaseFilter): Promise<Page<UpkeepCaseAnswer>> {
    const { kysely } = this.#deps.database;
    let query = kysely.selectFrom('upkeep_cases').selectAll();
    if (state !== undefined) query = query.where('state', '=', state);
    if (open !== undefined) query = query.where('state', open ? '!=' : '=', 'fixed');
    if (cause !== undefined) query = query.where('cause', '=', cause);
    if (edge !== undefined) query = query.where('edge', '=', edge);
    const after = readCursor(cursor);
    if (after) query = query.where(sql<boolean>`(opened_at, id) < (${after.at}, ${after.id})`);
    const rows = await query
      .orderBy('opened_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const { page, cursor: next } = pageOf(rows, limit, (row) => [row.opened_at, row.id]);
    return { items: await toAnswers(kysely, page), cursor: next };
  }

  async case(id: string): Promise<UpkeepCaseDetail> {
    const { kysely } = this.#deps.database;
    const [answer] = await toAnswers(kysely, [await caseOf(kysely, id)]);
    const members = await kysely
      .selectFrom('upkeep_members')
      .selectAll()
      .where('case_id', '=', id)
      .orderBy(sql`case when well_at is null then 0 else 1 end`)
      .orderBy('since')
      .limit(THINGS_SHOWN_MAX)
      .execute();
    const things = members.map((m) => ({
      ...{ of: m.subject_of as Thing['of'], id: m.subject_id, state: m.state as HealthState, reason: m.reason },
      ...{ since: m.since, wellAt: m.well_at },
    }));
    return { ...(answer as UpkeepCaseAnswer), things };
  }

  acknowledge(ids: readonly string[], by: Asker): Promise<UpkeepCaseAnswer[]> {
    const at = this.#deps.clock.now();
    return this.#change(ids, by, 'maintenance-case-acknowledged', {}, () => ({ acknowledged_at: at, acknowledged_by: by.id }));
  }

  async assign(id: string, to: string, by: Asker): Promise<UpkeepCaseAnswer> {
    const at = this.#deps.clock.now();
    const [answer] = await this.#change([id], by, 'maintenance-case-assigned', { to }, (row) => ({
      ...{ state: 'assigned', assigned_to: to },
      ...(row.acknowledged_at === null ? { acknowledged_at: at, acknowledged_by: by.id } : {}),
    }));
    return answer as UpkeepCaseAnswer;
  }

  async fix(id: string, note: string, by: Asker): Promise<UpkeepCaseAnswer> {
    const set = { state: 'fixed', fixed_at: this.#deps.clock.now(), fixed_by: by.id, note };
    const [answer] = await this.#change([id], by, 'maintenance-case-fixed', { note }, () => set);
    return answer as UpkeepCaseAnswer;
  }

  scores(): ReturnType<UpkeepService['scores']> {
    return this.#scores.get();
  }

  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    await lookOnce(this.#deps);
    const { count } = await this.#deps.database.kysely
      .selectFrom('upkeep_cases')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('state', '!=', 'fixed')
      .executeTakeFirstOrThrow();
    this.#open.set(Number(count));
  }

  /** Not before it could have heard of all: a centre that was down has heard of nobody. */
  async #lookSoon(): Promise<void> {
    if (this.#deps.clock.monotonic() - this.#startedAt >= this.#deps.edgeSilentMs) await this.look();
  }

  async #trim(): Promise<void> {
    const { database, clock, config } = this.#deps;
    const before = clock.now() - config.historyDays * DAY_MS;
    await this.#windows.trim(before);
    await database.transaction(async (db) => {
      const over = db.selectFrom('upkeep_cases').select('id').where('fixed_at', '<', before);
      await db.deleteFrom('upkeep_members').where('case_id', 'in', over).execute();
      await db.deleteFrom('upkeep_cases').where('fixed_at', '<', before).execute();
    });
  }

  #change(
    ids: readonly string[],
    by: Asker,
    action: string,
    detail: Record<string, string>,
    set: (row: UpkeepCasesTable) => Partial<UpkeepCasesTable>,
  ): Promise<UpkeepCaseAnswer[]> {
    const { database, audit } = this.#deps;
    return database.transaction(
      async (db) => {
        const changed: UpkeepCasesTable[] = [];
        for (const id of ids) {
          const row = await caseOf(db, id);
          if (row.state === 'fixed') throw new GewuError('GEWU_UPKEEP_REFUSED', `${id} was fixed by ${row.fixed_by}`);
          const next = { ...row, ...set(row) };
          await db.updateTable('upkeep_cases').set(set(row)).where('id', '=', id).execute();
          await audit.recordIn(db, { ...actorOf(by), action, subject: `maintenance-case:${id}`, detail });
          changed.push(next);
        }
        return toAnswers(db, changed);
      },
      { locks: [AUDIT_LOCK, { name: 'upkeep', mode: 'exclusive' }] },
    );
  }
}

async function caseOf(db: Queries, id: string): Promise<UpkeepCasesTable> {
  const row = await db.selectFrom('upkeep_cases').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no maintenance case ${id}`);
  return row;
}

async function toAnswers(db: Queries, rows: readonly UpkeepCasesTable[]): Promise<UpkeepCaseAnswer[]> {
  if (rows.length === 0) return [];
  const counts = await db
    .selectFrom('upkeep_members')
    .select(({ fn }) => ['case_id', fn.countAll<number>().as('members'), fn.count<number>('well_at').as('well')])
    .where(
      'case_id',
      'in',
      rows.map((r) => r.id),
    )
    .groupBy('case_id')
    .execute();
  const byCase = new Map(counts.map((c) => [c.case_id, c]));
  return rows.map((row) => {
    const { members = 0, well = 0 } = byCase.get(row.id) ?? {};
    return {
      ...{
        id: row.id,
        cause: row.cause as UpkeepCause,
        subject: subjectOf(row),
        edge: row.edge,
        state: row.state as UpkeepState,
      },
      openedAt: row.opened_at,
      acknowledgedAt: row.acknowledged_at,
      acknowledgedBy: row.acknowledged_by,
      assignedTo: row.assigned_to,
      fixedAt: row.fixed_at,
      fixedBy: row.fixed_by,
      note: row.note,
      members: Number(members),
      sick: Number(members) - Number(well),
    };
  });
}
