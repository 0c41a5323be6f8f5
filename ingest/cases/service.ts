import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { CaseRelativesAnswer } from '#grid/api/mod.ts';
import type { Case, EventRecord, FilingPolicy } from '#grid/mod.ts';
import { type Clock, Counter, GewuError, isGewuError, type Log, type Metrics } from '#service/mod.ts';
import type { Database, Lock, Queries } from '../database/mod.ts';
import type { CommandSender, Verdict } from '../ports.ts';
import type { Outcome } from './accept.ts';
import { CaseDraft, type CaseStanding } from './draft.ts';
import { checkDuties, leadsFrom, roleFor } from './duties.ts';
import { eventsOf } from './feed.ts';
import { EventIntake } from './intake.ts';
import type { WindowsOf } from './maintenance.ts';
import { CaseNumbers } from './numbers.ts';
import { checkInput, perform, transitionNamed } from './perform.ts';
import { DEFAULT_FILING_POLICY, readPolicy, seedPolicy, writePolicy } from './policy.ts';
import { countEventsByHour, countOpen, listCases, listEvents, storms, urgentCases } from './queries.ts';
import { relativesOf } from './relatives.ts';
import { classColumns, placeColumns, toCases, toStoredEvent } from './rows.ts';
import { readTimeline, toEntry } from './timeline.ts';
import { type ReportInput, report, TRANSITIONS } from './transitions/mod.ts';
import type {
  Actor,
  AvailableTransition,
  CaseFilter,
  CaseService,
  Change,
  EventFilter,
  EventHoursFilter,
  Page,
  StoredEvent,
  TimelineEntry,
} from './types.ts';

export interface CaseServiceDependencies {
  database: Database;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  commands: CommandSender;
  /** Put in force when the database has none yet; the shipped default when missing. */
  policy?: FilingPolicy;
  /** IANA name, for the day in a case number. */
  timeZone?: string;
  /** What somebody works on; nothing when missing. */
  windowsOf?: WindowsOf;
}

/** Listeners of one process: every open live stream is one. */
const LISTENERS_MAX = 1000;
/** So many open cases of one class within so long are a storm. */
const STORM_CASES_MIN = 10;
const STORM_MS = 3_600_000;
/** A window that is over is seen within this time. */
const RESUME_EVERY_MS = 5_000;

/** Builds the case service; the database must be started before it, and stopped after it. */
export function createCaseService(dependencies: CaseServiceDependencies): CaseService {
  return new KyselyCaseService(dependencies);
}

class KyselyCaseService implements CaseService {
  readonly #deps: CaseServiceDependencies;
  readonly #timeZone: string;
  readonly #intake: EventIntake;
  readonly #emitter = new EventEmitter<{ change: [Change] }>();
  readonly #steps: Counter<'transition' | 'result'>;
  #timer: NodeJS.Timeout | undefined;
  #resuming: Promise<number> | null = null;

  constructor(dependencies: CaseServiceDependencies) {
    this.#deps = dependencies;
    this.#timeZone = dependencies.timeZone ?? 'Asia/Shanghai';
    this.#emitter.setMaxListeners(LISTENERS_MAX);
    this.#intake = new EventIntake({
      ...dependencies,
      timeZone: this.#timeZone,
      windowsOf: dependencies.windowsOf ?? (async () => []),
      announce: (record, outcome) => this.#announce(record, outcome),
    });
    this.#steps = new Counter({
      name: 'gewu_case_transitions_total',
      help: 'Steps of people on cases: done, or the code of the refusal',
      labelNames: ['transition', 'result'],
      registers: [dependencies.metrics],
    });
  }

  async start(): Promise<void> {
    const { database, policy = DEFAULT_FILING_POLICY, clock, log } = this.#deps;
    if ((await readPolicy(database.kysely)) === null) await seedPolicy(database.kysely, policy, clock);
    this.#timer = setInterval(
      () =>
        void this.resume().catch((error: unknown) =>
          log.warn({ err: error }, 'events of windows that are over could not be looked for; tried again'),
        ),
      RESUME_EVERY_MS,
    ).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#resuming?.catch(() => undefined);
    this.#emitter.removeAllListeners();
  }

  accept(events: readonly EventRecord[]): Promise<Verdict[]> {
    return this.#intake.accept(events);
  }

  resume(): Promise<number> {
    this.#resuming ??= this.#intake.resume().finally(() => {
      this.#resuming = null;
    });
    return this.#resuming;
  }

  async get(id: string): Promise<Case> {
    return this.#read(this.#deps.database.kysely, id);
  }

  list(filter: CaseFilter): Promise<Page<Case>> {
    return listCases(this.#deps.database.kysely, filter);
  }

  async timeline(id: string): Promise<TimelineEntry[]> {
    const lines = await readTimeline(this.#deps.database.kysely, id);
    if (lines.length === 0) throw new GewuError('GEWU_NOT_FOUND', `there is no case ${id}`);
    return lines.map(toEntry);
  }

  relatives(id: string): Promise<CaseRelativesAnswer['items']> {
    return relativesOf(this.#deps.database.kysely, id);
  }

  async getEvent(subject: string): Promise<StoredEvent> {
    const { kysely } = this.#deps.database;
    const row = await kysely.selectFrom('events').selectAll().where('subject', '=', subject).executeTakeFirst();
    if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no event ${subject}`);
    return toStoredEvent(row);
  }

  async judged(subject: string): Promise<void> {
    const found = await this.#deps.database.kysely
      .selectFrom('events as e')
      .innerJoin('verdicts as v', 'v.event', 'e.subject')
      .select('e.edge')
      .where('e.subject', '=', subject)
      .where('e.cleared_at', 'is', null)
      .where('v.verdict', '=', 'accepted')
      .where('v.suppressed', '=', 'fixture')
      .executeTakeFirst();
    if (found !== undefined) this.#send(found.edge, subject, { open: false });
  }

  countOpen() {
    return countOpen(this.#deps.database.kysely);
  }

  async urgent(limit: number) {
    const { database, clock } = this.#deps;
    const since = clock.now() - STORM_MS;
    const found = await storms(database.kysely, since, STORM_CASES_MIN);
    const stormy = found.map(({ classKey }) => classKey);
    return { storms: found, cases: await urgentCases(database.kysely, limit, stormy, since) };
  }

  listEvents(filter: EventFilter): Promise<Page<StoredEvent>> {
    return listEvents(this.#deps.database.kysely, filter);
  }

  eventsByHour(filter: EventHoursFilter) {
    return countEventsByHour(this.#deps.database.kysely, filter);
  }

  async policy(): Promise<FilingPolicy> {
    return (await readPolicy(this.#deps.database.kysely)) ?? this.#deps.policy ?? DEFAULT_FILING_POLICY;
  }

  setPolicy(policy: unknown, by: string): Promise<FilingPolicy> {
    return this.#deps.database.transaction((db) => writePolicy(db, policy, by, this.#deps.clock));
  }

  report(actor: Actor, input: unknown): Promise<Case> {
    return this.#counted('report', actor, null, async () => {
      roleFor(report, actor);
      checkInput(report, input);
      const wanted = input as ReportInput;
      const id = reportId(actor, wanted.key);
      // The same report twice at once: the second waits and finds the first.
      const locks: Lock[] = [{ name: `report:${id}`, mode: 'exclusive' }];
      const work = async (db: Queries) => {
        const known = await CaseDraft.load(db, id);
        if (known !== null) return { value: await this.#read(db, id), created: false };
        const at = this.#deps.clock.now();
        const policy = (await readPolicy(db)) ?? DEFAULT_FILING_POLICY;
        const draft = reportedCase(id, wanted, policy.version, at);
        await perform({ ...this.#step(db, draft, actor, input, at, policy), transition: report });
        await draft.save(db, at);
        return { value: await this.#read(db, id), created: true };
      };
      const done = await this.#deps.database.transaction(work, { locks });
      if (done.created) this.#emit({ of: 'case', id, what: 'opened', ts: done.value.openedAt });
      return done.value;
    });
  }

  transition(id: string, name: string, actor: Actor, input: unknown): Promise<Case> {
    return this.#counted(name, actor, id, async () => {
      const transition = transitionNamed(name);
      // Before the database: who may not, costs nothing and learns nothing.
      roleFor(transition, actor);
      if (transition === report) throw new GewuError('GEWU_TRANSITION_REFUSED', 'a case is reported once');
      const at = this.#deps.clock.now();
      const done = await this.#deps.database.transaction(async (db) => {
        const draft = await CaseDraft.load(db, id);
        if (draft === null) throw new GewuError('GEWU_NOT_FOUND', `there is no case ${id}`);
        const policy = (await readPolicy(db)) ?? DEFAULT_FILING_POLICY;
        const history = await readTimeline(db, id);
        const touched = await perform({ ...this.#step(db, draft, actor, input, at, policy), transition, history });
        await draft.save(db, at);
        const over = draft.finished && draft.state !== 'MERGED' ? draft.standing : null;
        return { value: await this.#read(db, id), over, touched };
      });
      if (done.over !== null) await this.#tellEdges(id, done.over);
      this.#emit({ of: 'case', id, what: name, ts: at });
      for (const other of done.touched) this.#emit({ of: 'case', id: other, what: 'updated', ts: at });
      return done.value;
    });
  }

  async available(id: string, actor: Actor): Promise<AvailableTransition[]> {
    const { kysely } = this.#deps.database;
    const draft = await CaseDraft.load(kysely, id);
    if (draft === null) throw new GewuError('GEWU_NOT_FOUND', `there is no case ${id}`);
    const history = await readTimeline(kysely, id);
    return TRANSITIONS.filter((transition) => {
      try {
        const role = roleFor(transition, actor);
        checkDuties(transition, actor, draft.row, history);
        return leadsFrom(transition, role, draft.state);
      } catch (error) {
        if (isGewuError(error, 'GEWU_FORBIDDEN')) return false;
        throw error;
      }
    }).map(({ name, labelZh, labelEn, input }) => ({ name, labelZh, labelEn, input }));
  }

  async evidenceStored(sha256: string): Promise<void> {
    const { database, clock } = this.#deps;
    const rows = await database.kysely
      .selectFrom('case_evidence')
      .select('case_id')
      .distinct()
      .where('sha256', '=', sha256)
      .execute();
    for (const { case_id } of rows) this.#emit({ of: 'case', id: case_id, what: 'evidence', ts: clock.now() });
  }

  on(_event: 'change', listener: (change: Change) => void): () => void {
    this.#emitter.on('change', listener);
    return () => this.#emitter.off('change', listener);
  }

  #step(db: Queries, draft: CaseDraft, actor: Actor, input: unknown, at: number, policy: FilingPolicy) {
    const events = () => eventsOf(db, draft.row.id);
    const numbers = new CaseNumbers({ db, at, timeZone: this.#timeZone });
    return { db, draft, actor, input, at, policy, numbers, history: [], events };
  }

  async #read(db: Queries, id: string): Promise<Case> {
    const row = await db.selectFrom('cases').selectAll().where('id', '=', id).executeTakeFirst();
    const [found] = row === undefined ? [] : await toCases(db, [row]);
    if (found === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no case ${id}`);
    return found;
  }

  /** After the commit: what the API streams, and the state of the case to the edge that sees the thing. */
  #announce(record: EventRecord, outcome: Outcome): void {
    for (const change of outcome.changes) this.#emit(change);
    if (outcome.case !== null) {
      const { id: _, ...standing } = outcome.case;
      this.#send(record.data.edge, record.subject, standing);
    } else if (record.data.suppressed === 'fixture')
      void this.judged(record.subject).catch((error: Error) =>
        this.#deps.log.warn({ event: record.subject, error: error.message }, 'what was said of a fixture could not be read'),
      );
  }

  /** The case is over: its edges may raise the thing anew, unless it was nothing. */
  async #tellEdges(id: string, standing: CaseStanding): Promise<void> {
    const events = await this.#deps.database.kysely
      .selectFrom('events')
      .select(['subject', 'edge'])
      .where('case_id', '=', id)
      .execute();
    for (const { subject, edge } of events) this.#send(edge, subject, standing);
  }

  /** Best effort: what is committed stands, whatever becomes of the message. */
  #send(edge: string, event: string, standing: CaseStanding): void {
    try {
      this.#deps.commands.send(edge, { command: 'case-state', event, ...standing, ts: this.#deps.clock.now() });
    } catch (error) {
      this.#deps.log.warn({ edge, event, error: (error as Error).message }, 'the edge was not told of its case');
    }
  }

  #emit(change: Change): void {
    try {
      this.#emitter.emit('change', change);
    } catch (error) {
      this.#deps.log.error({ change, error: (error as Error).message }, 'a listener of changes failed');
    }
  }

  /** Every refusal is counted and logged with who and what. Source: docs/domain/lifecycle.md section 4. */
  async #counted<T>(transition: string, actor: Actor, id: string | null, work: () => Promise<T>): Promise<T> {
    const label = TRANSITIONS.some((t) => t.name === transition) ? transition : 'unknown';
    try {
      const value = await work();
      this.#steps.inc({ transition: label, result: 'done' });
      return value;
    } catch (error) {
      const result = isGewuError(error) ? error.code : 'GEWU_INTERNAL';
      this.#steps.inc({ transition: label, result });
      const reason = (error as Error).message;
      this.#deps.log.warn({ case: id, transition, actor: actor.id, roles: actor.roles, code: result, reason }, 'refused');
      throw error;
    }
  }
}

function reportId(actor: Actor, key: string | undefined): string {
  if (key === undefined) return `r-${randomUUID().replaceAll('-', '').slice(0, 24)}`;
  return `r-${createHash('sha256').update(`${actor.id} ${key}`).digest('hex').slice(0, 24)}`;
}

/** What a person reports, before it is recorded. Class and place are his, and machines leave them alone. */
function reportedCase(id: string, input: ReportInput, policyVersion: number, at: number): CaseDraft {
  const seenAt = input.seenAt ?? at;
  return CaseDraft.create({
    id,
    number: null,
    state: 'REPORTED',
    ...classColumns(input.class),
    severity: input.severity,
    source: input.source,
    ...placeColumns(input.place),
    confidence: 1,
    observations: 1,
    started_at: seenAt,
    confirmed_at: seenAt,
    last_seen_at: seenAt,
    recovered_at: null,
    opened_at: at,
    updated_at: at,
    finished_at: null,
    policy_version: policyVersion,
    proposal: null,
    department: null,
    rework_count: 0,
    merged_into: null,
    recurrence_of: null,
    edge: null,
    corrected: 1,
    version: 0,
  });
}
