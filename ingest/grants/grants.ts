import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { sql } from 'kysely';
import { GRANT_KINDS, GRANT_MINUTES_MAX, type GrantKind, type GrantSubject, type NewGrant, type SubjectOf } from '#grid/mod.ts';
import { type Clock, GewuError, type Log } from '#service/mod.ts';
import { type Asker, AUDIT_LOCK, type Audit } from '../audit/mod.ts';
import type { Page } from '../cases/mod.ts';
import { type Database, type GrantsTable, pageOf, type Queries, readCursor } from '../database/mod.ts';
import type { Registry } from '../devices/mod.ts';
import type { Grant, GrantFilter, Grants } from './types.ts';

export interface GrantDependencies {
  database: Database;
  audit: Audit;
  registry: Registry;
  clock: Clock;
  log: Log;
}

const ACTIVE_PER_HOLDER_MAX = 16;
const EXPIRE_EVERY_MS = 5_000;
/** Grants that one sweep ends; the next goes on. */
const EXPIRED_PER_SWEEP_MAX = 200;
const LIMIT_DEFAULT = 100;
const LISTENERS_MAX = 1000;
const MINUTE_MS = 60_000;
/** Who writes down what happens by itself. */
const MACHINE = { id: 'gewu', roles: [] } as const;

/** Builds the grants; the database must be started before them, and stopped after them. */
export function createGrants(dependencies: GrantDependencies): Grants {
  return new KyselyGrants(dependencies);
}

class KyselyGrants implements Grants {
  readonly #deps: GrantDependencies;
  readonly #emitter = new EventEmitter<{ created: [Grant]; over: [Grant] }>();
  #timer: NodeJS.Timeout | null = null;
  #sweep: Promise<unknown> = Promise.resolve();

  constructor(dependencies: GrantDependencies) {
    this.#deps = dependencies;
    this.#emitter.setMaxListeners(LISTENERS_MAX);
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#sweepSoon(), EXPIRE_EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await this.#sweep;
    this.#emitter.removeAllListeners();
  }

  async create(asker: Asker, { kind, subject, purpose, minutes }: NewGrant): Promise<Grant> {
    checkMay(asker, kind, subject.of);
    if (!(minutes >= 1 && minutes <= GRANT_MINUTES_MAX))
      throw new GewuError('GEWU_REQUEST_INVALID', `minutes are 1 to ${GRANT_MINUTES_MAX}`);
    const now = this.#deps.clock.now();
    const grant = await this.#write(async (db) => {
      const edge = await this.#edgeOf(db, subject);
      if (edge === null) throw new GewuError('GEWU_NOT_FOUND', `no edge has ${subject.of} ${subject.id}`);
      await checkRoom(db, asker.id, now);
      const row: GrantsTable = {
        id: randomUUID(),
        kind,
        subject_of: subject.of,
        subject_id: subject.id,
        edge,
        holder: asker.id,
        roles_json: JSON.stringify(asker.roles),
        purpose,
        created_at: now,
        ends_at: now + Math.round(minutes * MINUTE_MS),
        ended_at: null,
        ended_by: null,
        uses: 0,
        last_used_at: null,
        answer: null,
      };
      await db.insertInto('grants').values(row).execute();
      await this.#note(db, 'grant-created', row, asker, { endsAt: row.ends_at });
      return row;
    });
    this.#tell('created', grant);
    return grant;
  }

  use(id: string, asker: Asker, kind: GrantKind, subject: GrantSubject): Promise<Grant> {
    const now = this.#deps.clock.now();
    return this.#write(async (db) => {
      const row = await rowOf(db, id);
      const fault = row === undefined ? 'there is none' : whyNot(row, { asker, kind, subject, now });
      if (row === undefined || fault !== null) throw new GewuError('GEWU_GRANT_INVALID', `grant ${id}: ${fault}`);
      const used = { ...row, uses: row.uses + 1, last_used_at: now };
      await db.updateTable('grants').set({ uses: used.uses, last_used_at: used.last_used_at }).where('id', '=', id).execute();
      await this.#note(db, 'grant-used', used, asker, { uses: used.uses });
      return used;
    });
  }

  async end(id: string, asker: Asker): Promise<Grant> {
    const now = this.#deps.clock.now();
    let ended = false;
    const grant = await this.#write(async (db) => {
      const row = await rowOf(db, id);
      if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no grant ${id}`);
      if (row.holder !== asker.id && !asker.roles.includes('administrator'))
        throw new GewuError('GEWU_FORBIDDEN', `${row.holder} holds this grant`);
      ended = isActive(row, now);
      return ended ? this.#over(db, row, { at: now, by: asker }) : row;
    });
    if (ended) this.#tell('over', grant);
    return grant;
  }

  async get(id: string): Promise<Grant> {
    const row = await rowOf(this.#deps.database.kysely, id);
    if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no grant ${id}`);
    return toGrant(row, this.#deps.clock.now());
  }

  async list({ holder, kind, subject, subjects, active, limit = LIMIT_DEFAULT, cursor }: GrantFilter): Promise<Page<Grant>> {
    const now = this.#deps.clock.now();
    let query = this.#deps.database.kysely.selectFrom('grants').selectAll();
    if (holder !== undefined) query = query.where('holder', '=', holder);
    if (kind !== undefined) query = query.where('kind', '=', kind);
    if (subject !== undefined) query = query.where('subject_id', '=', subject);
    if (subjects !== undefined) query = query.where('subject_id', 'in', subjects.length === 0 ? [''] : [...subjects]);
    if (active === true) query = query.where('ended_at', 'is', null).where('ends_at', '>', now);
    if (active === false) query = query.where((eb) => eb.or([eb('ended_at', 'is not', null), eb('ends_at', '<=', now)]));
    const after = readCursor(cursor);
    if (after) query = query.where(sql<boolean>`(created_at, id) < (${after.at}, ${after.id})`);
    const rows = await query
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const { page, cursor: next } = pageOf(rows, limit, (row) => [row.created_at, row.id]);
    return { items: page.map((row) => toGrant(row, now)), cursor: next };
  }

  async answered(id: string, answer: 'sent' | 'missing'): Promise<void> {
    await this.#deps.database.kysely.updateTable('grants').set({ answer }).where('id', '=', id).execute();
  }

  async expire(): Promise<Grant[]> {
    const { database, clock } = this.#deps;
    const now = clock.now();
    const due = await database.kysely
      .selectFrom('grants')
      .select('id')
      .where('ended_at', 'is', null)
      .where('ends_at', '<=', now)
      .limit(EXPIRED_PER_SWEEP_MAX)
      .execute();
    const ended: Grant[] = [];
    for (const { id } of due) {
      let mine = false;
      const grant = await this.#write(async (db) => {
        const row = (await rowOf(db, id)) as GrantsTable;
        mine = row.ended_at === null;
        return mine ? this.#over(db, row, { at: row.ends_at, by: null }) : row;
      });
      if (!mine) continue;
      ended.push(grant);
      this.#tell('over', grant);
    }
    return ended;
  }

  on(event: 'created' | 'over', listener: (grant: Grant) => void): () => void {
    this.#emitter.on(event, listener);
    return () => this.#emitter.off(event, listener);
  }

  async #over(db: Queries, row: GrantsTable, { at, by }: { at: number; by: Asker | null }): Promise<GrantsTable> {
    const over = { ...row, ended_at: at, ended_by: by?.id ?? 'expired' };
    await db.updateTable('grants').set({ ended_at: at, ended_by: over.ended_by }).where('id', '=', row.id).execute();
    await this.#note(db, by === null ? 'grant-expired' : 'grant-ended', over, by ?? MACHINE, { uses: row.uses });
    return over;
  }

  /** One transaction under the trail's lock: grant and line together, one writer at a time. */
  async #write(work: (db: Queries) => Promise<GrantsTable>): Promise<Grant> {
    const row = await this.#deps.database.transaction(work, { locks: [AUDIT_LOCK] });
    return toGrant(row, this.#deps.clock.now());
  }

  async #note(db: Queries, action: string, row: GrantsTable, by: Asker, detail: Record<string, string | number>): Promise<void> {
    const { id, kind, holder, purpose, subject_of, subject_id } = row;
    await this.#deps.audit.recordIn(db, {
      actor: by.id,
      roles: by.roles,
      action,
      subject: `${subject_of}:${subject_id}`,
      purpose,
      detail: { grant: id, kind, holder, edge: row.edge, ...detail },
    });
  }

  /** The edge that has the camera or the files; null when nobody has. */
  async #edgeOf(db: Queries, { of, id }: GrantSubject): Promise<string | null> {
    if (of === 'camera') return this.#deps.registry.cameras.get(id)?.edge ?? null;
    let query = db.selectFrom('events').select('events.edge');
    if (of === 'event') query = query.where('events.subject', '=', id);
    else
      query = query
        .innerJoin('case_evidence', 'case_evidence.event', 'events.subject')
        .where('case_evidence.sha256', '=', id)
        .orderBy('events.subject');
    return (await query.limit(1).executeTakeFirst())?.edge ?? null;
  }

  #tell(event: 'created' | 'over', grant: Grant): void {
    try {
      this.#emitter.emit(event, grant);
    } catch (error) {
      this.#deps.log.error({ grant: grant.id, err: error }, 'a listener of grants failed');
    }
  }

  #sweepSoon(): void {
    this.#sweep = this.expire().catch((error: unknown) => {
      this.#deps.log.warn({ err: error }, 'the end of grants could not be written down; tried again');
    });
  }
}

function checkMay(asker: Asker, kind: GrantKind, of: SubjectOf): void {
  const rule: { of: readonly SubjectOf[]; roles: readonly string[] } = GRANT_KINDS[kind];
  if (!asker.roles.some((role) => rule.roles.includes(role)))
    throw new GewuError('GEWU_FORBIDDEN', `${kind} is for ${rule.roles.join(', ')}`);
  if (!rule.of.includes(of)) throw new GewuError('GEWU_REQUEST_INVALID', `${kind} opens ${rule.of.join(' or ')}, not ${of}`);
}

async function checkRoom(db: Queries, holder: string, now: number): Promise<void> {
  const { count } = await db
    .selectFrom('grants')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('holder', '=', holder)
    .where('ended_at', 'is', null)
    .where('ends_at', '>', now)
    .executeTakeFirstOrThrow();
  if (Number(count) >= ACTIVE_PER_HOLDER_MAX)
    throw new GewuError('GEWU_TOO_MANY_REQUESTS', `${ACTIVE_PER_HOLDER_MAX} grants of ${holder} are open; end one`);
}

interface Use {
  asker: Asker;
  kind: GrantKind;
  subject: GrantSubject;
  now: number;
}

/** Why a grant does not cover this use, or null. */
function whyNot(row: GrantsTable, { asker, kind, subject, now }: Use): string | null {
  if (row.holder !== asker.id) return 'somebody else holds it';
  if (row.kind !== kind) return `it is for ${row.kind}`;
  if (row.subject_of !== subject.of || row.subject_id !== subject.id) return `it is for ${row.subject_of} ${row.subject_id}`;
  if (!isActive(row, now)) return 'it is over';
  return null;
}

const isActive = (row: GrantsTable, now: number): boolean => row.ended_at === null && row.ends_at > now;

function rowOf(db: Queries, id: string): Promise<GrantsTable | undefined> {
  return db.selectFrom('grants').selectAll().where('id', '=', id).executeTakeFirst();
}

function toGrant(row: GrantsTable, now: number): Grant {
  const over = !isActive(row, now);
  return {
    id: row.id,
    kind: row.kind as GrantKind,
    subject: { of: row.subject_of as SubjectOf, id: row.subject_id },
    edge: row.edge,
    holder: row.holder,
    roles: JSON.parse(row.roles_json),
    purpose: row.purpose,
    createdAt: row.created_at,
    endsAt: row.ends_at,
    state: over ? 'over' : 'active',
    endedAt: over ? (row.ended_at ?? row.ends_at) : null,
    endedBy: over ? (row.ended_by ?? 'expired') : null,
    uses: row.uses,
    lastUsedAt: row.last_used_at,
    answer: row.answer as Grant['answer'],
  };
}
