import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { MaintenanceAnswer, Subject, Thing } from '#grid/api/mod.ts';
import type { Site, SiteMaintenance } from '#grid/mod.ts';
import { type Clock, GewuError, isGewuError, type Log } from '#service/mod.ts';
import { type Asker, AUDIT_LOCK, type Audit, actorOf } from '../audit/mod.ts';
import type { Page } from '../cases/mod.ts';
import { type Database, type MaintenanceWindowsTable, pageOf, type Queries, readCursor } from '../database/mod.ts';
import type { DesiredService } from '../desired/mod.ts';
import type { Registry } from '../devices/mod.ts';
import { ACTIVE_MAX, activeWindows, readMembers, subjectOf, thingsOf } from './cover.ts';
import type { EndedWindows, NewWindow, UpkeepService } from './types.ts';

export interface WindowsDependencies {
  /** The edges with what the centre knows of their files. */
  edges: readonly { id: string; site: Site | null }[];
  registry: Registry;
  database: Database;
  desired: Pick<DesiredService, 'get' | 'setMaintenance'>;
  audit: Audit;
  clock: Clock;
  log: Log;
}

const MINUTE_MS = 60_000;
const LIMIT_DEFAULT = 100;
/** Windows of one asking for a time; what is beyond belongs to another one. */
const SPAN_MAX = 20_000;
/** Somebody else may set the same edge at that moment. */
const STALE_TRIES_MAX = 5;
/** Of an entry of a site; its text has no more. */
const REASON_CHARS_MAX = 200;
const DEVICES_MAX = 10_000;

/**
 * Maintenance windows. The centre asks nobody when it leaves a thing out; the edges are told by their desired state, so that the alarms of devices
 * are recorded there and open no case. A window ends by itself at both, whether they reach each other or not.
 */
export class Windows {
  readonly #deps: WindowsDependencies;

  constructor(dependencies: WindowsDependencies) {
    this.#deps = dependencies;
  }

  async begin({ subjects, from, minutes, reason }: NewWindow, by: Asker): Promise<MaintenanceAnswer[]> {
    const { database, audit, clock } = this.#deps;
    const now = clock.now();
    const start = Math.max(from ?? now, now);
    const rows = await database.transaction(
      async (db) => {
        await this.#check(db, subjects);
        const { count } = await db
          .selectFrom('maintenance_windows')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('to_at', '>', now)
          .executeTakeFirstOrThrow();
        if (Number(count) + subjects.length > ACTIVE_MAX)
          throw new GewuError('GEWU_TOO_MANY_REQUESTS', `${count} windows are open already; ${ACTIVE_MAX} may be`);
        const made = subjects.map(
          ({ of, id }): MaintenanceWindowsTable => ({
            ...{
              id: randomUUID(),
              subject_of: of,
              subject_id: id,
              from_at: start,
              to_at: start + Math.round(minutes * MINUTE_MS),
            },
            ...{ reason, by: by.id, at: now, ended_by: null },
          }),
        );
        await db.insertInto('maintenance_windows').values(made).execute();
        for (const row of made) {
          const subject = `${row.subject_of}:${row.subject_id}`;
          const detail = { from: row.from_at, to: row.to_at };
          await audit.recordIn(db, { ...actorOf(by), action: 'maintenance-begun', subject, purpose: reason, detail });
        }
        return made;
      },
      { locks: [AUDIT_LOCK] },
    );
    await this.#tell(rows, by, `maintenance: ${reason}`);
    return rows.map((row) => toAnswer(row, now));
  }

  async end({ subjects = [], windows = [] }: EndedWindows, by: Asker): Promise<MaintenanceAnswer[]> {
    const { database, audit, clock } = this.#deps;
    const now = clock.now();
    const rows = await database.transaction(
      async (db) => {
        const wanted = new Set(subjects.map(({ of, id }) => `${of} ${id}`));
        const open = await db.selectFrom('maintenance_windows').selectAll().where('to_at', '>', now).execute();
        const over = open.filter((w) => windows.includes(w.id) || wanted.has(`${w.subject_of} ${w.subject_id}`));
        // One that is to come has never been: no longer than a moment, and over.
        const ended = over.map((w) => ({ ...w, from_at: Math.min(now, w.from_at), to_at: now, ended_by: by.id }));
        for (const row of ended) {
          const { id, from_at, to_at, ended_by } = row;
          await db.updateTable('maintenance_windows').set({ from_at, to_at, ended_by }).where('id', '=', id).execute();
          await audit.recordIn(db, {
            ...actorOf(by),
            action: 'maintenance-ended',
            subject: `${row.subject_of}:${row.subject_id}`,
          });
        }
        return ended;
      },
      { locks: [AUDIT_LOCK] },
    );
    await this.#tell(rows, by, 'maintenance is over');
    return rows.map((row) => toAnswer(row, now));
  }

  async list({
    active,
    open,
    limit = LIMIT_DEFAULT,
    cursor,
  }: Parameters<UpkeepService['windows']>[0]): Promise<Page<MaintenanceAnswer>> {
    const now = this.#deps.clock.now();
    let query = this.#deps.database.kysely.selectFrom('maintenance_windows').selectAll();
    if (active === true) query = query.where('to_at', '>', now).where('from_at', '<=', now);
    if (active === false) query = query.where((eb) => eb.or([eb('to_at', '<=', now), eb('from_at', '>', now)]));
    if (open !== undefined) query = query.where('to_at', open ? '>' : '<=', now);
    const after = readCursor(cursor);
    if (after) query = query.where(sql<boolean>`(at, id) < (${after.at}, ${after.id})`);
    const rows = await query
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const { page, cursor: next } = pageOf(rows, limit, (row) => [row.at, row.id]);
    return { items: page.map((row) => toAnswer(row, now)), cursor: next };
  }

  async span(from: number, to: number): Promise<{ thing: Thing; from: number; to: number }[]> {
    const { database, registry } = this.#deps;
    const rows = await database.kysely
      .selectFrom('maintenance_windows')
      .selectAll()
      .where('to_at', '>', from)
      .where('from_at', '<', to)
      .orderBy('to_at')
      .limit(SPAN_MAX)
      .execute();
    if (rows.length === 0) return [];
    const members = await readMembers(database.kysely);
    return rows.flatMap((row) =>
      thingsOf(subjectOf(row), registry, members).map((thing) => ({ thing, from: row.from_at, to: row.to_at })),
    );
  }

  async trim(before: number): Promise<void> {
    await this.#deps.database.kysely.deleteFrom('maintenance_windows').where('to_at', '<', before).execute();
  }

  async #check(db: Queries, subjects: readonly Subject[]): Promise<void> {
    const { registry } = this.#deps;
    const free = new Set((await db.selectFrom('device_groups').select('id').execute()).map((g) => g.id));
    for (const { of, id } of subjects) {
      const known =
        of === 'group'
          ? registry.groups.has(id) || free.has(id)
          : { edge: registry.edges, device: registry.devices, camera: registry.cameras }[of].has(id);
      if (!known) throw new GewuError('GEWU_NOT_FOUND', `there is no ${of} ${id}`);
    }
  }

  /** The edges that are concerned get all windows that are not over; one that refuses records its alarms as ever, and the centre leaves them out all the same. */
  async #tell(rows: readonly MaintenanceWindowsTable[], by: Asker, reason: string): Promise<void> {
    const { registry, database, log } = this.#deps;
    const members = await readMembers(database.kysely);
    const devices = rows.flatMap((row) => thingsOf(subjectOf(row), registry, members)).filter((t) => t.of === 'device');
    const edges = new Set(devices.flatMap(({ id }) => registry.devices.get(id)?.edge ?? []));
    for (const edge of edges)
      await this.#set(edge, members, by, reason).catch((error: unknown) =>
        log.warn({ edge, error: (error as Error).message }, 'the edge was not told of its maintenance windows'),
      );
  }

  async #set(edge: string, members: ReadonlyMap<string, Thing[]>, by: Asker, reason: string): Promise<void> {
    const { desired, edges, database, clock } = this.#deps;
    const site = edges.find((e) => e.id === edge)?.site;
    for (let attempt = 1; ; attempt++) {
      const { revision, state } = await desired.get(edge);
      const others = (state.maintenance ?? site?.maintenance ?? []).filter((m) => m.id === undefined);
      const open = await notOver(database.kysely, clock.now());
      const own = open.flatMap((row) => this.#entry(row, edge, members));
      try {
        await desired.setMaintenance(edge, [...others, ...own], { by: by.id, roles: by.roles, revision, reason });
        return;
      } catch (error) {
        if (!isGewuError(error, 'GEWU_REVISION_STALE') || attempt === STALE_TRIES_MAX) throw error;
      }
    }
  }

  /** What a window means to an edge; nothing where none of its devices is meant. */
  #entry(row: MaintenanceWindowsTable, edge: string, members: ReadonlyMap<string, Thing[]>): SiteMaintenance[] {
    const { registry } = this.#deps;
    const subject = subjectOf(row);
    const common = {
      id: row.id,
      from: new Date(row.from_at).toISOString(),
      to: new Date(row.to_at).toISOString(),
      reason: row.reason.slice(0, REASON_CHARS_MAX),
    };
    const group = subject.of === 'group' ? registry.groups.get(subject.id) : undefined;
    if (group !== undefined) return group.edge === edge ? [{ ...common, group: group.id }] : [];
    const devices = thingsOf(subject, registry, members).filter(
      (t) => t.of === 'device' && registry.devices.get(t.id)?.edge === edge,
    );
    return devices.length === 0 ? [] : [{ ...common, devices: devices.slice(0, DEVICES_MAX).map((d) => d.id) }];
  }
}

/** Open now, or to be opened. */
async function notOver(db: Queries, now: number): Promise<MaintenanceWindowsTable[]> {
  const active = await activeWindows(db, now);
  const coming = await db.selectFrom('maintenance_windows').selectAll().where('from_at', '>', now).limit(ACTIVE_MAX).execute();
  return [...active, ...coming];
}

function toAnswer(row: MaintenanceWindowsTable, now: number): MaintenanceAnswer {
  const { id, from_at: from, to_at: to, reason, by, ended_by: endedBy } = row;
  return { id, subject: subjectOf(row), from, to, reason, by, active: from <= now && now < to, endedBy };
}
