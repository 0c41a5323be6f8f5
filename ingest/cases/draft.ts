import { type CaseState, type EvidenceRef, FINISHED_STATES } from '#grid/mod.ts';
import { placeKeys } from '../correlation/mod.ts';
import { type CasesTable, type Queries, StoreConflict } from '../database/mod.ts';
import { placeOf } from './rows.ts';
import { appendLines, type NewLine } from './timeline.ts';

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
    const row = await db.selectFrom('cases').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? null : new CaseDraft(row, { ...row });
  }

  get state(): CaseState {
    return this.row.state as CaseState;
  }
  get finished(): boolean {
    return FINISHED_STATES.includes(this.state);
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

  /** Writes what has changed; true when anything has. */
  async save(db: Queries, at: number): Promise<boolean> {
    const idle = this.#lines.length === 0 && this.#evidence.length === 0;
    if (this.#before !== null && idle && Object.keys(this.#changes(this.#before)).length === 0) return false;
    this.row.version++;
    this.row.updated_at = at;
    await this.#saveRow(db);
    await this.#saveEvidence(db);
    await appendLines(db, this.row.id, this.#lines, this.#before === null);
    await this.#saveKeys(db);
    return true;
  }

  #changes(before: CasesTable): Partial<CasesTable> {
    const columns = Object.keys(before) as (keyof CasesTable)[];
    return Object.fromEntries(columns.filter((c) => before[c] !== this.row[c]).map((c) => [c, this.row[c]]));
  }

  async #saveRow(db: Queries): Promise<void> {
    if (this.#before === null) {
      await db.insertInto('cases').values(this.row).execute();
      return;
    }
    const { numUpdatedRows } = await db
      .updateTable('cases')
      .set(this.#changes(this.#before))
      .where('id', '=', this.row.id)
      .where('version', '=', this.#before.version)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) throw new StoreConflict(`case ${this.row.id}`);
  }

  async #saveEvidence(db: Queries): Promise<void> {
    if (this.#evidence.length === 0) return;
    const values = this.#evidence.map(({ ref, event, by, at }) => ({
      case_id: this.row.id,
      sha256: ref.sha256,
      event,
      media_type: ref.mediaType,
      bytes: ref.bytes,
      taken_at: ref.takenAt,
      attached_at: at,
      by,
    }));
    await db
      .insertInto('case_evidence')
      .values(values)
      .onConflict((c) => c.columns(['case_id', 'sha256', 'event']).doNothing())
      .execute();
  }

  /** Only open and closed cases are found by later events: a rejected, merged or withdrawn one is nobody's forerunner. */
  async #saveKeys(db: Queries): Promise<void> {
    const before = this.#before;
    const watched = ['lon', 'lat', 'error_radius_m', 'component', 'class_key', 'finished_at'] as const;
    if (before !== null && watched.every((key) => before[key] === this.row[key])) return;
    if (before !== null) await db.deleteFrom('case_keys').where('case_id', '=', this.row.id).execute();
    if (this.finished && this.state !== 'CLOSED' && this.state !== 'ARCHIVED') return;
    const until = this.row.finished_at ?? OPEN_UNTIL;
    const { id, class_key } = this.row;
    const values = placeKeys(placeOf(this.row)).map((key) => ({ class_key, key, case_id: id, until }));
    await db.insertInto('case_keys').values(values).execute();
  }
}
