import { createHash } from 'node:crypto';
import { classKey, type EventRecord, type EvidenceRef, type FilingPolicy } from '#grid/mod.ts';
import { isGewuError } from '#service/mod.ts';
import { type Candidate, isWide, join, joinLocks, placeKeys, RECURRENCE_MS_MAX, WIDE_KEY } from '../correlation/mod.ts';
import { type EventsTable, type Lock, type Queries, StoreConflict } from '../database/mod.ts';
import { ACCEPTED, type Verdict } from '../ports.ts';
import { CaseDraft } from './draft.ts';
import { applySummary, linkEvents, noteJoined, refreshSummary } from './feed.ts';
import { perform } from './perform.ts';
import { filingMode } from './policy.ts';
import { classColumns, eventRow, placeColumns, placeOf, sortFiles } from './rows.ts';
import { file } from './transitions/mod.ts';
import type { Change } from './types.ts';

/** The machine as an actor: it reports, observes, and files where the policy says so. */
export const MACHINE = { id: 'gewu', roles: ['machine'] } as const;

/** What the rest of the world is told after the commit. */
export interface Outcome {
  verdict: Verdict;
  /** Was this revision new to us. */
  fresh: boolean;
  /** The case that the event feeds, and whether the city's work on it goes on. */
  case: { id: string; open: boolean } | null;
  changes: Change[];
}

export interface AcceptContext {
  db: Queries;
  at: number;
  timeZone: string;
  policy: FilingPolicy;
}

/** What an event locks while it looks for its case: its own row, its class and its neighbourhood. */
export function locksOf(record: EventRecord): Lock[] {
  const { data, subject } = record;
  return [{ name: `event:${subject}`, mode: 'exclusive' }, ...joinLocks(classKey(data.class), placeKeys(data.place))];
}

/**
 * Stores one revision of an event and carries its news to the case, inside the caller's transaction:
 *
 *   revision --> highest wins, files and best confidence of all --> joins a case | opens one | none --> summary --> filing
 *
 * An older revision, or one that came before, changes nothing but what it alone knows: the files that it names and
 * a better confidence. So the same set of revisions gives the same state in whatever order it comes.
 */
export async function acceptEvent(context: AcceptContext, record: EventRecord): Promise<Outcome> {
  const { db, at } = context;
  const known = await db.selectFrom('events').selectAll().where('subject', '=', record.subject).executeTakeFirst();
  if (known !== undefined && known.edge !== record.data.edge)
    return refused(`event ${record.subject} belongs to edge ${known.edge}`);
  const merged = mergeRevision(known, eventRow(record, at));
  if (known !== undefined && !merged.changed)
    return { verdict: ACCEPTED, fresh: false, case: await stateOf(db, known.case_id), changes: [] };
  const current = merged.fresh || known === undefined ? record : (JSON.parse(known.record_json) as EventRecord);
  const outcome: Outcome = { verdict: ACCEPTED, fresh: merged.fresh, case: null, changes: [] };
  const what = known === undefined ? 'opened' : 'updated';
  outcome.changes.push({ of: 'event', id: record.subject, what, ts: at });
  const news: News = { record: current, row: merged.row, known: known !== undefined, newFiles: merged.newFiles };
  const draft = await feedCase(context, news);
  if (draft !== null) {
    outcome.case = { id: draft.row.id, open: !draft.finished };
    const created = draft.row.version === 0;
    if (await draft.save(db, at))
      outcome.changes.push({ of: 'case', id: draft.row.id, what: created ? 'opened' : 'updated', ts: at });
    if (news.joined) await linkEvents(db, draft.row.id, [record.subject], created ? 0 : null);
  }
  return outcome;
}

interface News {
  /** The highest revision. */
  record: EventRecord;
  row: EventsTable;
  known: boolean;
  newFiles: EvidenceRef[];
  /** It has just found its case. */
  joined?: boolean;
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

/** A model that knows only drawn scenes opens no case on a real camera: the event is stored, and that is all. */
function opensNoCase({ data: { origin } }: EventRecord): boolean {
  return origin.by === 'camera' && origin.provenance === 'drawn-scenes' && !origin.simulated;
}

async function feedCase(context: AcceptContext, news: News): Promise<CaseDraft | null> {
  const { db, at } = context;
  const { record, row } = news;
  if (opensNoCase(record)) {
    await writeEvent(db, news);
    return null;
  }
  const draft = await caseFor(context, news);
  row.case_id = draft.row.id;
  await writeEvent(db, news);
  // The people's work is over: the event is on record, the case stays as they left it.
  if (draft.finished) return draft;
  const files = news.joined ? (JSON.parse(row.evidence_json) as EvidenceRef[]) : news.newFiles;
  draft.attach(files, record.subject, 'event', at);
  if (draft.row.version === 0) applySummary(draft, [row], at);
  else await refreshSummary(db, draft, at);
  await fileByPolicy(context, draft, record);
  return draft;
}

async function writeEvent(db: Queries, { row, known, joined }: News): Promise<void> {
  if (!known) {
    await db.insertInto('events').values(row).execute();
    return;
  }
  // A merge moves events to the master at any moment: the link is written only by who has just found it.
  const { subject, case_id, received_at, ...columns } = row;
  const changes = joined ? { ...columns, case_id } : columns;
  await db.updateTable('events').set(changes).where('subject', '=', subject).execute();
}

/** The case that it feeds already, or joins, or opens. */
async function caseFor(context: AcceptContext, news: News): Promise<CaseDraft> {
  const { db, at } = context;
  const { record, row } = news;
  if (row.case_id !== null) {
    const draft = await mustLoad(db, row.case_id);
    // An officer merged it since we read the event, which by now feeds the master.
    if (draft.state === 'MERGED') throw new StoreConflict(`case ${draft.row.id}`);
    return draft;
  }
  news.joined = true;
  const joining = join(record.data, await findCandidates(db, record));
  if (joining.to === 'new') return openCase(context, news, joining.recurrenceOf);
  const draft = await mustLoad(db, joining.id);
  // An officer finished it since we looked: look again, for it is no longer open.
  if (draft.finished) throw new StoreConflict(`case ${draft.row.id}`);
  noteJoined(draft, record.subject, at);
  return draft;
}

async function mustLoad(db: Queries, id: string): Promise<CaseDraft> {
  const draft = await CaseDraft.load(db, id);
  if (draft === null) throw new Error(`case ${id} is named by an event and is not there`);
  return draft;
}

/** Cases of the class that share a square or the component with the event: see correlation/keys.ts. */
async function findCandidates(db: Queries, record: EventRecord): Promise<Candidate[]> {
  const keys = placeKeys(record.data.place);
  let query = db
    .selectFrom('case_keys as k')
    .innerJoin('cases as c', 'c.id', 'k.case_id')
    .select(['c.id', 'c.lon', 'c.lat', 'c.error_radius_m', 'c.cell', 'c.component'])
    .select(['c.started_at', 'c.last_seen_at', 'c.recovered_at', 'c.finished_at'])
    .distinct()
    .where('k.class_key', '=', classKey(record.data.class))
    .where('k.until', '>', record.data.startedAt - RECURRENCE_MS_MAX);
  if (!isWide(keys)) query = query.where('k.key', 'in', [...keys, WIDE_KEY]);
  const rows = await query.execute();
  return rows.map((c) => ({
    id: c.id,
    place: placeOf(c),
    startedAt: c.started_at,
    lastSeenAt: c.last_seen_at,
    recoveredAt: c.recovered_at,
    closedAt: c.finished_at,
  }));
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

async function stateOf(db: Queries, id: string | null): Promise<Outcome['case']> {
  if (id === null) return null;
  const row = await db.selectFrom('cases').select('finished_at').where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : { id, open: row.finished_at === null };
}
