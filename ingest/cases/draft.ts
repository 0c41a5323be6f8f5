import { type CaseState, type EvidenceRef, FINISHED_STATES } from '#grid/mod.ts';
import type { CaseStateCommand } from '#grid/wire/mod.ts';
import { caseKeys } from '../correlation/mod.ts';
import { type CaseEvidenceTable, type CaseKeysTable, type CasesTable, type Queries, StoreConflict } from '../database/mod.ts';
import { placeOf } from './rows.ts';
import { appendLines, type NewLine } from './timeline.ts';

/** What the edges of a case's events are told of it. */
export type CaseStanding = Pick<CaseStateCommand, 'open' | 'unfounded'>;

/** `until` of the keys of a case that is not finished. */
export const OPEN_UNTIL = Number.MAX_SAFE_INTEGER;

/** What a timeline line needs to be told; the rest follows from the case. */
export interface Line {
  at: number;
  actor: string;
  role: string;
  kind: 'transition' | 'observation';
  name: string;
  to: CaseState;
  input: Record<string, unknown>;
}

/**
 * A case under change inside one transaction: the row as it was read, edited in memory, and written once at the end
 * under the optimistic lock (`version`).
 *
 *   load --> row.field = ..., record(line), attach(evidence) --> save (StoreConflict when somebody was faster)
 */
export class CaseDraft {
  readonly row: CasesTable;
  readonly #before: CasesTable | null;
  readonly #lines: NewLine[] = [];
  readonly #evidence: { ref: EvidenceRef; event: string; by: string; at: number }[] = [];

  private constructor(row: CasesTable, before: CasesTable | null) {
    this.row = row;
    this.#before = before;
  }

  /** A case that is not there yet. */
  static create(row: CasesTable): CaseDraft {
    return new CaseDraft(row, null);
  }

  static async load(db: Queries, id: string): Promise<CaseDraft | null> {
    return (await CaseDraft.loadAll(db, [id]))[0] ?? null;
  }

  /** Those that are there. */
  static async loadAll(db: Queries, ids: readonly string[]): Promise<CaseDraft[]> {
    const rows = await db.selectFrom('cases').selectAll().where('id', 'in', ids).execute();
    return rows.map((row) => new CaseDraft(row, { ...row }));
  }

  get state(): CaseState {
    return this.row.state as CaseState;
  }
  get finished(): boolean {
    return FINISHED_STATES.includes(this.state);
  }
  get standing(): CaseStanding {
    return { open: !this.finished, ...(this.state === 'REJECTED' ? { unfounded: true } : {}) };
  }

  /** Adds a line to the timeline and brings the case into `line.to`; the first line of a new case comes from nowhere. */
  record(line: Line): void {
    const first = this.#before === null && this.#lines.length === 0;
    this.#lines.push({
      at: line.at,
      actor: line.actor,
      role: line.role,
      kind: line.kind,
      name: line.name,
      from_state: first ? null : this.row.state,
      to_state: line.to,
      input_json: JSON.stringify(line.input),
    });
    this.row.state = line.to;
    this.row.finished_at = this.finished ? (this.row.finished_at ?? line.at) : null;
  }

  /** `event` is the subject of the event that named the files, '' when a person attached them; `by` is 'event' or the transition. */
  attach(refs: readonly EvidenceRef[], event: string, by: string, at: number): void {
    for (const ref of refs) this.#evidence.push({ ref, event, by, at });
  }

  /** Number of files attached by this change. */
  get attached(): number {
    return this.#evidence.length;
  }

  /** UTC ms until which later events may find it: open and closed cases only; a rejected, merged or withdrawn one is nobody's forerunner. */
  get keptUntil(): number {
    if (this.finished && this.state !== 'CLOSED' && this.state !== 'ARCHIVED') return 0;
    return this.row.finished_at ?? OPEN_UNTIL;
  }

  /** Writes what has changed; true when anything has. */
  async save(db: Queries, at: number): Promise<boolean> {
    return (await saveDrafts(db, [this], at)).has(this);
  }

  /** What `saveDrafts` writes; null when nothing has changed. Counts the version up. */
  take(at: number): Unsaved | null {
    const { row } = this;
    const before = this.#before;
    const evidence = this.#evidence.map(({ ref, event, by, at }) => ({
      case_id: row.id,
      sha256: ref.sha256,
      event,
      media_type: ref.mediaType,
      bytes: ref.bytes,
      taken_at: ref.takenAt,
      attached_at: at,
      by,
      signed_json: ref.signed === undefined ? null : JSON.stringify(ref.signed),
    }));
    const columns = Object.keys(row) as (keyof CasesTable)[];
    const changed = columns.filter((c) => before?.[c] !== row[c]);
    if (changed.length === 0 && this.#lines.length === 0 && evidence.length === 0) return null;
    const version = row.version++;
    row.updated_at = at;
    const changes = Object.fromEntries([...changed, 'version', 'updated_at'].map((c) => [c, row[c as keyof CasesTable]]));
    const keys = before !== null && KEYED.every((c) => before[c] === row[c]) ? null : this.#keys();
    return { draft: this, version: before === null ? null : version, changes, evidence, lines: this.#lines, keys };
  }

  #keys(): CaseKeysTable[] {
    const { id, class_key } = this.row;
    const until = this.keptUntil;
    return until === 0 ? [] : caseKeys(placeOf(this.row)).map((key) => ({ class_key, key, case_id: id, until }));
  }
}

/** Columns that decide under which keys a case is found. */
const KEYED = ['lon', 'lat', 'error_radius_m', 'component', 'class_key', 'finished_at'] as const;

interface Unsaved {
  draft: CaseDraft;
  /** The one that is stored; null for a new case. */
  version: number | null;
  changes: Partial<CasesTable>;
  evidence: CaseEvidenceTable[];
  lines: readonly NewLine[];
  /** Instead of those that it has; null when they stay. */
  keys: CaseKeysTable[] | null;
}

/** Writes what has changed of several cases, table by table. Gives back those that have. Throws StoreConflict when somebody was faster. */
export async function saveDrafts(db: Queries, drafts: readonly CaseDraft[], at: number): Promise<ReadonlySet<CaseDraft>> {
  const unsaved = drafts.flatMap((draft) => draft.take(at) ?? []);
  await saveRows(db, unsaved);
  const evidence = unsaved.flatMap((u) => u.evidence);
  if (evidence.length > 0)
    await db
      .insertInto('case_evidence')
      .values(evidence)
      .onConflict((c) => c.columns(['case_id', 'sha256', 'event']).doNothing())
      .execute();
  await appendLines(
    db,
    unsaved.map(({ draft, version, lines }) => ({ caseId: draft.row.id, lines, isNew: version === null })),
  );
  await saveKeys(db, unsaved);
  return new Set(unsaved.map((u) => u.draft));
}

async function saveRows(db: Queries, unsaved: readonly Unsaved[]): Promise<void> {
  const created = unsaved.filter((u) => u.version === null).map((u) => u.draft.row);
  if (created.length > 0) await db.insertInto('cases').values(created).execute();
  for (const { draft, version, changes } of unsaved) {
    if (version === null) continue;
    const { numUpdatedRows } = await db
      .updateTable('cases')
      .set(changes)
      .where('id', '=', draft.row.id)
      .where('version', '=', version)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) throw new StoreConflict(`case ${draft.row.id}`);
  }
}

async function saveKeys(db: Queries, unsaved: readonly Unsaved[]): Promise<void> {
  const moved = unsaved.filter((u) => u.keys !== null);
  const stale = moved.filter((u) => u.version !== null).map((u) => u.draft.row.id);
  if (stale.length > 0) await db.deleteFrom('case_keys').where('case_id', 'in', stale).execute();
  const keys = moved.flatMap((u) => u.keys ?? []);
  if (keys.length > 0) await db.insertInto('case_keys').values(keys).execute();
}
