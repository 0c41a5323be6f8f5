import { classKey, type EventRecord } from '#grid/mod.ts';
import { type Candidate, candidateKeys, RECURRENCE_MS_MAX } from '../correlation/mod.ts';
import type { CasesTable, EventsTable, Queries } from '../database/mod.ts';
import { CaseDraft, OPEN_UNTIL, saveDrafts } from './draft.ts';
import { type Links, linkEvents } from './feed.ts';
import { type Counted, countByHour } from './hours.ts';
import { placeOf } from './rows.ts';
import { SUMMARY_COLUMNS, type SummaryEvent } from './summary.ts';

/**
 * What a batch of events reads and writes, inside one transaction: read at once, changed in memory, written at once. A
 * statement costs a round trip and a fifth of a millisecond on both sides, whatever it does.
 *
 *   read (events, their cases, the events of those, cases near new ones) --> event(), draft(), candidates(), put() ... --> write
 *
 * It shows what the batch has changed so far, so that an event joins the case that the one before it opened.
 */
export class EventBatch {
  readonly #db: Queries;
  readonly #events = new Map<string, EventsTable>();
  /** Where the events that the store has are counted. */
  readonly #counted = new Map<string, Counted>();
  readonly #drafts = new Map<string, CaseDraft>();
  /** Of each case at hand, the events that feed it, by subject. */
  readonly #feeding = new Map<string, Map<string, SummaryEvent>>();
  /** Subjects whose row changed; true for those that have just found their case. */
  readonly #changed = new Map<string, boolean>();
  readonly #joined = new Map<string, string[]>();
  /** Stored cases that the new events might join, by class. */
  readonly #near = new Map<string, readonly NearCase[]>();

  private constructor(db: Queries) {
    this.#db = db;
  }

  static async read(db: Queries, records: readonly EventRecord[]): Promise<EventBatch> {
    const batch = new EventBatch(db);
    const subjects = [...new Set(records.map((r) => r.subject))];
    const known = await db.selectFrom('events').selectAll().where('subject', 'in', subjects).execute();
    for (const row of known) {
      batch.#events.set(row.subject, row);
      batch.#counted.set(row.subject, row);
    }
    await batch.#load([...new Set(known.flatMap((row) => row.case_id ?? []))]);
    await batch.#look(records.filter((r) => batch.#events.get(r.subject)?.case_id == null));
    return batch;
  }

  event(subject: string): EventsTable | undefined {
    return this.#events.get(subject);
  }

  /** The case under change. Throws when it is not there. */
  async draft(id: string): Promise<CaseDraft> {
    if (!this.#drafts.has(id)) await this.#load([id]);
    const draft = this.#drafts.get(id);
    if (draft === undefined) throw new Error(`case ${id} is named by an event and is not there`);
    return draft;
  }

  open(draft: CaseDraft): void {
    this.#drafts.set(draft.row.id, draft);
    this.#feeding.set(draft.row.id, new Map());
  }

  /** `joined`: it has just found the case that it names. */
  put(row: EventsTable, joined: boolean): void {
    this.#events.set(row.subject, row);
    this.#changed.set(row.subject, joined || this.#changed.get(row.subject) === true);
    if (row.case_id === null) return;
    this.#feeding.get(row.case_id)?.set(row.subject, row);
    if (joined) this.#joined.set(row.case_id, [...(this.#joined.get(row.case_id) ?? []), row.subject]);
  }

  /** The events that feed a case at hand. */
  feeding(caseId: string): SummaryEvent[] {
    return [...(this.#feeding.get(caseId)?.values() ?? [])];
  }

  /** Cases of the class that may be near enough to be joined; also some that are not. */
  candidates({ data }: EventRecord): Candidate[] {
    const key = classKey(data.class);
    const until = data.startedAt - RECURRENCE_MS_MAX;
    const near = (this.#near.get(key) ?? []).filter((c) => !this.#drafts.has(c.id) && (c.finished_at ?? OPEN_UNTIL) > until);
    // What the batch has at hand is looked at itself: its row is newer, and its keys may be.
    const drafts = [...this.#drafts.values()].filter((d) => d.row.class_key === key && d.keptUntil > until);
    return [...near, ...drafts.map((d) => d.row)].map(toCandidate);
  }

  /** Everything that changed. Gives back the cases that did. Throws StoreConflict when somebody was faster. */
  async write(at: number): Promise<ReadonlySet<CaseDraft>> {
    const drafts = [...this.#drafts.values()];
    const created = new Set(drafts.filter((d) => d.row.version === 0).map((d) => d.row.id));
    await this.#writeEvents();
    const saved = await saveDrafts(this.#db, drafts, at);
    const links = [...this.#joined].map(([caseId, subjects]): Links => ({ caseId, subjects, empty: created.has(caseId) }));
    await linkEvents(this.#db, links);
    return saved;
  }

  /** Its events by the hour; after everything else. */
  async count(): Promise<void> {
    const moves = [...this.#changed.keys()].flatMap((subject) => {
      const to = this.#events.get(subject);
      return to === undefined ? [] : [{ from: this.#counted.get(subject), to }];
    });
    await countByHour(this.#db, moves);
  }

  /** A merge moves events to the master at any moment: the link to the case is written only by who has just found it. */
  async #writeEvents(): Promise<void> {
    for (const linking of [true, false]) {
      const rows = [...this.#changed].flatMap(([subject, joined]) =>
        joined === linking ? (this.#events.get(subject) ?? []) : [],
      );
      const [first] = rows;
      if (first === undefined) continue;
      const kept = ['subject', 'received_at', ...(linking ? [] : ['case_id'])];
      const columns = (Object.keys(first) as (keyof EventsTable)[]).filter((c) => !kept.includes(c));
      await this.#db
        .insertInto('events')
        .values(rows)
        .onConflict((c) =>
          c.column('subject').doUpdateSet((eb) => Object.fromEntries(columns.map((name) => [name, eb.ref(`excluded.${name}`)]))),
        )
        .execute();
    }
  }

  /** Cases that share a class and a key with one of the events; see correlation/keys.ts. */
  async #look(records: readonly EventRecord[]): Promise<void> {
    for (const [key, of] of Map.groupBy(records, (r) => classKey(r.data.class))) {
      const keys = of.map((r) => candidateKeys(r.data.place));
      let query = this.#db
        .selectFrom('case_keys as k')
        .innerJoin('cases as c', 'c.id', 'k.case_id')
        .select(['c.id', 'c.lon', 'c.lat', 'c.error_radius_m', 'c.cell', 'c.component'])
        .select(['c.started_at', 'c.last_seen_at', 'c.finished_at'])
        .distinct()
        .where('k.class_key', '=', key)
        .where('k.until', '>', Math.min(...of.map((r) => r.data.startedAt)) - RECURRENCE_MS_MAX);
      if (!keys.includes(null)) query = query.where('k.key', 'in', [...new Set(keys.flatMap((k) => k ?? []))]);
      this.#near.set(key, await query.execute());
    }
  }

  async #load(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const draft of await CaseDraft.loadAll(this.#db, ids)) this.open(draft);
    const events = await this.#db
      .selectFrom('events')
      .select([...SUMMARY_COLUMNS, 'case_id'])
      .where('case_id', 'in', ids)
      .execute();
    for (const { case_id, ...event } of events) this.#feeding.get(case_id as string)?.set(event.subject, event);
  }
}

type NearCase = Pick<
  CasesTable,
  'id' | 'lon' | 'lat' | 'error_radius_m' | 'cell' | 'component' | 'started_at' | 'last_seen_at' | 'finished_at'
>;

function toCandidate(c: NearCase): Candidate {
  return {
    id: c.id,
    place: placeOf(c),
    startedAt: c.started_at,
    lastSeenAt: c.last_seen_at,
    closedAt: c.finished_at,
  };
}
