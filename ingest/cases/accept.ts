import { createHash } from 'node:crypto';
import { classKey, type EventRecord, type EvidenceRef, type FilingPolicy } from '#grid/mod.ts';
import { isGewuError } from '#service/mod.ts';
import { join, joinLocks, placeKeys } from '../correlation/mod.ts';
import { type EventsTable, type Lock, type Queries, StoreConflict } from '../database/mod.ts';
import { ACCEPTED, type Verdict } from '../ports.ts';
import { EventBatch } from './batch.ts';
import { CaseDraft, type CaseStanding } from './draft.ts';
import { applySummary, noteJoined } from './feed.ts';
import { type IsWorkedOn, recorded, toldAloud } from './maintenance.ts';
import type { CaseNumbers } from './numbers.ts';
import { perform } from './perform.ts';
import { filingMode } from './policy.ts';
import { classColumns, eventRow, placeColumns, sortFiles } from './rows.ts';
import { file } from './transitions/mod.ts';
import type { Change } from './types.ts';

/** The machine as an actor: it reports, observes, and files where the policy says so. */
export const MACHINE = { id: 'gewu', roles: ['machine'] } as const;

/** What the rest of the world is told after the commit. */
export interface Outcome {
  verdict: Verdict;
  /** Was this revision new to us. */
  fresh: boolean;
  /** The case that the event feeds, and its standing for the edge. */
  case: (CaseStanding & { id: string }) | null;
  changes: Change[];
}

export interface AcceptContext {
  db: Queries;
  at: number;
  numbers: CaseNumbers;
  policy: FilingPolicy;
  isWorkedOn: IsWorkedOn;
}

/** What an event locks while it looks for its case: its own row, its class and its neighbourhood. */
export function locksOf(record: EventRecord): Lock[] {
  const { data, subject } = record;
  return [{ name: `event:${subject}`, mode: 'exclusive' }, ...joinLocks(classKey(data.class), placeKeys(data.place))];
}

/**
 * Stores revisions of events and carries their news to the cases, inside the caller's transaction:
 *
 *   revision --> highest wins, files and best confidence of all --> joins a case | opens one | none --> summary --> filing
 *
 * An older revision, or one that came before, changes nothing but what it alone knows: the files that it names and
 * a better confidence. So the same set of revisions gives the same state in whatever order it comes.
 */
export async function acceptEvents(context: AcceptContext, records: readonly EventRecord[]): Promise<Outcome[]> {
  const batch = await EventBatch.read(context.db, records);
  const fed: Fed[] = [];
  for (const record of records) fed.push(await acceptEvent(context, batch, record));
  return write(context, batch, fed);
}

/** Events that were recorded while somebody worked there, and are still so: they open their cases now. Those that have changed since are left alone. */
export async function resumeEvents(
  context: AcceptContext,
  records: readonly EventRecord[],
): Promise<{ record: EventRecord; outcome: Outcome }[]> {
  const batch = await EventBatch.read(context.db, records);
  const resumed: EventRecord[] = [];
  const fed: Fed[] = [];
  for (const { subject } of records) {
    const row = batch.event(subject);
    if (row === undefined || row.worked_on === 0 || row.case_id !== null || row.cleared_at !== null) continue;
    const record = toldAloud(JSON.parse(row.record_json) as EventRecord);
    const now = { ...row, record_json: JSON.stringify(record), worked_on: 0, updated_at: context.at };
    fed.push(await feed(context, batch, { record, row: now, newFiles: [], joined: false, opened: false }, 'updated'));
    resumed.push(record);
  }
  const outcomes = await write(context, batch, fed);
  return resumed.map((record, i) => ({ record, outcome: outcomes[i] as Outcome }));
}

async function write({ at, numbers }: AcceptContext, batch: EventBatch, fed: readonly Fed[]): Promise<Outcome[]> {
  const saved = await batch.write(at);
  await numbers.write();
  await batch.count();
  for (const { outcome, draft, opened } of fed)
    if (draft !== null && saved.has(draft))
      outcome.changes.push({ of: 'case', id: draft.row.id, what: opened ? 'opened' : 'updated', ts: at });
  return fed.map((f) => f.outcome);
}

/** What became of an event, and the case that it changed. */
interface Fed {
  outcome: Outcome;
  draft: CaseDraft | null;
  opened: boolean;
}

async function acceptEvent(context: AcceptContext, batch: EventBatch, came: EventRecord): Promise<Fed> {
  const known = batch.event(came.subject);
  if (known !== undefined && known.edge !== came.data.edge)
    return { outcome: refused(`event ${came.subject} belongs to edge ${known.edge}`), draft: null, opened: false };
  const record = recorded(came, known, context.isWorkedOn);
  const incoming = { ...eventRow(record, context.at), worked_on: record === came ? 0 : 1 };
  const merged = mergeRevision(known, incoming);
  if (known !== undefined && !merged.changed) {
    const state = known.case_id === null ? null : stateOf(await batch.draft(known.case_id));
    return { outcome: { verdict: ACCEPTED, fresh: false, case: state, changes: [] }, draft: null, opened: false };
  }
  const current = merged.fresh || known === undefined ? record : (JSON.parse(known.record_json) as EventRecord);
  const news: News = { record: current, row: merged.row, newFiles: merged.newFiles, joined: false, opened: false };
  const fed = await feed(context, batch, news, known === undefined ? 'opened' : 'updated');
  return { ...fed, outcome: { ...fed.outcome, fresh: merged.fresh } };
}

/** Carries an event to its case; `what` has become of the event. */
async function feed(context: AcceptContext, batch: EventBatch, news: News, what: 'opened' | 'updated'): Promise<Fed> {
  const draft = await feedCase(context, batch, news);
  const change: Change = { of: 'event', id: news.row.subject, what, ts: context.at };
  const outcome: Outcome = { verdict: ACCEPTED, fresh: true, case: draft === null ? null : stateOf(draft), changes: [change] };
  return { outcome, draft, opened: news.opened };
}

interface News {
  /** The highest revision. */
  record: EventRecord;
  row: EventsTable;
  newFiles: EvidenceRef[];
  /** It has just found its case, or opened it. */
  joined: boolean;
  opened: boolean;
}

function refused(reason: string): Outcome {
  return { verdict: { ok: false, code: 'GEWU_EVENT_INVALID', reason }, fresh: false, case: null, changes: [] };
}

/** The higher revision, with the files and the best confidence of both. */
function mergeRevision(known: EventsTable | undefined, incoming: EventsTable) {
  const files = JSON.parse(incoming.evidence_json) as EvidenceRef[];
  if (known === undefined) return { row: incoming, fresh: true, changed: true, newFiles: files };
  const before = JSON.parse(known.evidence_json) as EvidenceRef[];
  const newFiles = files.filter((f) => !before.some((b) => b.sha256 === f.sha256));
  const fresh = incoming.revision > known.revision;
  const changed = fresh || newFiles.length > 0 || incoming.confidence > known.confidence;
  const row: EventsTable = {
    ...(fresh ? incoming : known),
    confidence: Math.max(known.confidence, incoming.confidence),
    evidence_json: JSON.stringify(sortFiles([...before, ...newFiles])),
    case_id: known.case_id,
    received_at: known.received_at,
    updated_at: incoming.updated_at,
  };
  return { row, fresh, changed, newFiles };
}

/**
 * The event is stored, and that is all: a model that knows only drawn scenes opens no case on a real camera until a person switches
 * the class on there, nor does an alarm while somebody works there, nor one found in data that came late.
 */
function opensNoCase({ data: { origin, suppressed, late } }: EventRecord): boolean {
  if (suppressed !== undefined || late === true) return true;
  return origin.by === 'camera' && origin.provenance !== 'real-scenes' && !origin.simulated && origin.approved !== true;
}

async function feedCase(context: AcceptContext, batch: EventBatch, news: News): Promise<CaseDraft | null> {
  const { record, row } = news;
  if (row.case_id === null && opensNoCase(record)) {
    batch.put(row, false);
    return null;
  }
  const draft = await caseFor(context, batch, news);
  row.case_id = draft.row.id;
  batch.put(row, news.joined);
  // The people's work is over: the event is on record, the case stays as they left it.
  if (draft.finished) return draft;
  const files = news.joined ? (JSON.parse(row.evidence_json) as EvidenceRef[]) : news.newFiles;
  draft.attach(files, record.subject, 'event', context.at);
  applySummary(draft, batch.feeding(draft.row.id), context.at);
  await fileByPolicy(context, draft, record);
  return draft;
}

/** The case that it feeds already, or joins, or opens. */
async function caseFor(context: AcceptContext, batch: EventBatch, news: News): Promise<CaseDraft> {
  const { record, row } = news;
  if (row.case_id !== null) {
    const draft = await batch.draft(row.case_id);
    // An officer merged it since we read the event, which by now feeds the master.
    if (draft.state === 'MERGED') throw new StoreConflict(`case ${draft.row.id}`);
    return draft;
  }
  news.joined = true;
  const joining = join(record.data, batch.candidates(record));
  if (joining.to === 'new') {
    const draft = openCase(context, news, joining.recurrenceOf);
    batch.open(draft);
    news.opened = true;
    return draft;
  }
  const draft = await batch.draft(joining.id);
  // An officer finished it since we looked: look again, for it is no longer open.
  if (joining.to === 'case' && draft.finished) throw new StoreConflict(`case ${draft.row.id}`);
  noteJoined(draft, record.subject, context.at);
  return draft;
}

/** The machine's report. Its id follows from the event, so that an event never opens two. */
function openCase({ at, policy }: AcceptContext, { record, row }: News, recurrenceOf: string | null): CaseDraft {
  const { data, subject } = record;
  const mode = filingMode(policy, data);
  const id = `c-${createHash('sha256').update(subject).digest('hex').slice(0, 24)}`;
  const draft = CaseDraft.create({
    id,
    number: null,
    state: 'REPORTED',
    ...classColumns(data.class),
    severity: data.severity,
    source: data.origin.by,
    ...placeColumns(data.place),
    confidence: row.confidence,
    observations: row.observations,
    started_at: data.startedAt,
    confirmed_at: data.confirmedAt,
    last_seen_at: data.lastSeenAt,
    recovered_at: null,
    opened_at: at,
    updated_at: at,
    finished_at: null,
    policy_version: policy.version,
    proposal: mode === 'verify-first' ? null : 'file',
    department: null,
    rework_count: 0,
    merged_into: null,
    recurrence_of: recurrenceOf,
    edge: data.edge,
    corrected: 0,
    version: 0,
  });
  const to = mode === 'verify-first' ? 'VERIFYING' : 'REPORTED';
  const input = { event: subject, mode, policyVersion: policy.version, ...(recurrenceOf === null ? {} : { recurrenceOf }) };
  draft.record({ at, actor: MACHINE.id, role: 'machine', kind: 'transition', name: 'report', to, input });
  return draft;
}

/** A case that the machine may file and cannot (no component, no number left) stays, with its proposal, for the officers. */
async function fileByPolicy(context: AcceptContext, draft: CaseDraft, record: EventRecord): Promise<void> {
  if (!file.from.includes(draft.state) || filingMode(context.policy, record.data) !== 'file-at-once') return;
  try {
    const events = async () => [record.data];
    await perform({ ...context, transition: file, draft, actor: MACHINE, input: {}, history: [], events });
  } catch (error) {
    if (!isGewuError(error, 'GEWU_TRANSITION_GUARD')) throw error;
    draft.row.proposal = 'file';
  }
}

function stateOf(draft: CaseDraft): NonNullable<Outcome['case']> {
  return { id: draft.row.id, ...draft.standing };
}
