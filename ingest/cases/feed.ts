import { type EventData, type EventRecord, type EvidenceRef, SEVERITIES } from '#grid/mod.ts';
import type { Queries } from '../database/mod.ts';
import type { CaseDraft } from './draft.ts';
import { SUMMARY_COLUMNS, type SummaryEvent, summarise } from './summary.ts';

/** What events do to the case that they feed. */

const MACHINE = { actor: 'gewu', role: 'machine', kind: 'observation' } as const;

/** The events that feed a case now. */
export async function eventsOf(db: Queries, caseId: string): Promise<EventData[]> {
  const rows = await db.selectFrom('events').select('record_json').where('case_id', '=', caseId).orderBy('subject').execute();
  return rows.map((row) => (JSON.parse(row.record_json) as EventRecord).data);
}

/** Events that join the list of those that ever fed a case, in their order. */
export interface Links {
  caseId: string;
  subjects: readonly string[];
  /** The case has none yet. */
  empty: boolean;
}

export async function linkEvents(db: Queries, links: readonly Links[]): Promise<void> {
  const longer = links.filter((l) => l.subjects.length > 0);
  if (longer.length === 0) return;
  const lengths = await lengthsOf(
    db,
    longer.filter((l) => !l.empty).map((l) => l.caseId),
  );
  const rows = longer.flatMap(({ caseId, subjects }) =>
    subjects.map((event, i) => ({ case_id: caseId, event, position: (lengths.get(caseId) ?? 0) + i })),
  );
  await db
    .insertInto('case_events')
    .values(rows)
    .onConflict((c) => c.columns(['case_id', 'event']).doNothing())
    .execute();
}

async function lengthsOf(db: Queries, caseIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (caseIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('case_events')
    .select((eb) => ['case_id', eb.fn.max('position').as('last')])
    .where('case_id', 'in', caseIds)
    .groupBy('case_id')
    .execute();
  return new Map(rows.map((row) => [row.case_id, (row.last ?? -1) + 1]));
}

/** Reads the events of the case and brings the row up to what they say. */
export async function refreshSummary(db: Queries, draft: CaseDraft, at: number): Promise<void> {
  const events = await db.selectFrom('events').select(SUMMARY_COLUMNS).where('case_id', '=', draft.row.id).execute();
  applySummary(draft, events, at);
}

/** A recovery, and a relapse, are lines of the timeline; they never change the state: people close. */
export function applySummary(draft: CaseDraft, events: readonly SummaryEvent[], at: number): void {
  const [first, ...rest] = events;
  if (first === undefined) return;
  const { row } = draft;
  const before = row.recovered_at;
  const { lon, lat, error_radius_m, cell, component, ...summary } = summarise([first, ...rest]);
  if (row.source === 'sensor' || row.source === 'camera') Object.assign(row, summary);
  else addTo(draft, summary);
  if (row.corrected === 0) Object.assign(row, { lon, lat, error_radius_m, cell, component });
  row.recovered_at = summary.recovered_at;
  if (row.recovered_at !== null && row.recovered_at !== before) note(draft, 'recovered', { recoveredAt: row.recovered_at }, at);
  if (row.recovered_at === null && before !== null) note(draft, 'relapsed', {}, at);
}

/** A person's report that events have joined: what the person said stands, the events add to it. */
function addTo(
  { row }: CaseDraft,
  summary: Omit<ReturnType<typeof summarise>, 'lon' | 'lat' | 'error_radius_m' | 'cell' | 'component'>,
) {
  const rank = (severity: string) => SEVERITIES.indexOf(severity as (typeof SEVERITIES)[number]);
  row.observations = 1 + summary.observations;
  row.confidence = Math.max(row.confidence, summary.confidence);
  row.last_seen_at = Math.max(row.last_seen_at, summary.last_seen_at);
  row.started_at = Math.min(row.started_at, summary.started_at);
  if (rank(summary.severity) < rank(row.severity)) row.severity = summary.severity;
}

function note(draft: CaseDraft, name: string, input: Record<string, unknown>, at: number): void {
  draft.record({ ...MACHINE, at, name, to: draft.state, input });
}

/** A line that says a further event has joined. */
export function noteJoined(draft: CaseDraft, subject: string, at: number): void {
  note(draft, 'joined', { event: subject }, at);
}

/** Hands the events and files of a case over to another one. */
export async function moveEvents(db: Queries, from: string, master: CaseDraft, at: number): Promise<void> {
  const events = await db.selectFrom('case_events').select('event').where('case_id', '=', from).orderBy('position').execute();
  await db.updateTable('events').set({ case_id: master.row.id }).where('case_id', '=', from).execute();
  await linkEvents(db, [{ caseId: master.row.id, subjects: events.map((e) => e.event), empty: false }]);
  const files = await db.selectFrom('case_evidence').selectAll().where('case_id', '=', from).execute();
  for (const file of files) {
    const mediaType = file.media_type as EvidenceRef['mediaType'];
    const signed = file.signed_json === null ? {} : { signed: JSON.parse(file.signed_json) };
    const ref = { sha256: file.sha256, mediaType, bytes: file.bytes, takenAt: file.taken_at, ...signed };
    master.attach([ref], file.event, file.by, at);
  }
  await refreshSummary(db, master, at);
}
