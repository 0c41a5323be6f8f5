import {
  type Case,
  type CaseSource,
  type CaseState,
  classKey,
  type EventClass,
  type EventRecord,
  type EvidenceRef,
  type Place,
  type Severity,
} from '#grid/mod.ts';
import type { CasesTable, EventsTable, Queries } from '../database/mod.ts';
import { sourceOf } from './maintenance.ts';
import type { StoredEvent } from './types.ts';

/** Rows to domain types and back. */

export function placeOf(row: Pick<CasesTable, 'lon' | 'lat' | 'error_radius_m' | 'cell' | 'component'>): Place {
  const { lon, lat, cell, component } = row;
  return { lon, lat, errorRadiusM: row.error_radius_m, cell, ...(component === null ? {} : { component }) };
}

export function placeColumns(place: Place): Pick<CasesTable, 'lon' | 'lat' | 'error_radius_m' | 'cell' | 'component'> {
  const { lon, lat, cell, component } = place;
  return { lon, lat, error_radius_m: place.errorRadiusM, cell, component: component ?? null };
}

export function classColumns(c: EventClass): Pick<CasesTable, 'class_key' | 'flag' | 'code' | 'fault'> {
  return { class_key: classKey(c), flag: c.flag, code: c.code, fault: c.fault ?? null };
}

/** Oldest first; of one moment by hash, so that the order of arrival does not show. */
export function sortFiles(files: readonly EvidenceRef[]): EvidenceRef[] {
  return [...files].sort((a, b) => a.takenAt - b.takenAt || (a.sha256 < b.sha256 ? -1 : 1));
}

export function eventRow(record: EventRecord, now: number): EventsTable {
  const { data } = record;
  return {
    subject: record.subject,
    revision: data.revision,
    edge: data.edge,
    class_key: classKey(data.class),
    severity: data.severity,
    confidence: data.confidence,
    ...placeColumns(data.place),
    ...sourceOf(data),
    started_at: data.startedAt,
    confirmed_at: data.confirmedAt,
    last_seen_at: data.lastSeenAt,
    cleared_at: data.clearedAt ?? null,
    // Revisions count up by one, so the highest tells how many there were, even of those still on their way.
    observations: Math.max(1, data.revision - (data.clearedAt === undefined ? 0 : 1)),
    record_json: JSON.stringify(record),
    evidence_json: JSON.stringify(sortFiles(data.evidence)),
    case_id: null,
    worked_on: 0,
    received_at: now,
    updated_at: now,
  };
}

/** The event as stored: its highest revision, with the files that any revision named. */
export function toStoredEvent(row: EventsTable): StoredEvent {
  const record = JSON.parse(row.record_json) as EventRecord;
  const evidence = JSON.parse(row.evidence_json) as EvidenceRef[];
  return {
    record: { ...record, data: { ...record.data, evidence } },
    case: row.case_id,
    receivedAt: row.received_at,
    updatedAt: row.updated_at,
  };
}

/** Cases with their events and evidence, in the order of the rows: two more queries, however many there are. */
export async function toCases(db: Queries, rows: readonly CasesTable[]): Promise<Case[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((r) => r.id);
  const events = await db
    .selectFrom('case_events')
    .select(['case_id', 'event'])
    .where('case_id', 'in', ids)
    .orderBy('case_id')
    .orderBy('position')
    .execute();
  const files = await db
    .selectFrom('case_evidence as e')
    .leftJoin('evidence_files as f', 'f.sha256', 'e.sha256')
    .select(['e.case_id', 'e.sha256', 'e.event', 'e.media_type', 'e.bytes', 'e.taken_at', 'f.stored_at'])
    .where('e.case_id', 'in', ids)
    .orderBy('e.taken_at')
    .orderBy('e.sha256')
    .orderBy('e.event')
    .execute();
  const eventsOf = Map.groupBy(events, (e) => e.case_id);
  const filesOf = Map.groupBy(files, (f) => f.case_id);
  return rows.map((row) => ({
    ...fieldsOf(row),
    events: (eventsOf.get(row.id) ?? []).map((e) => e.event),
    evidence: (filesOf.get(row.id) ?? []).map((f) => ({
      sha256: f.sha256,
      mediaType: f.media_type as EvidenceRef['mediaType'],
      bytes: f.bytes,
      takenAt: f.taken_at,
      status: f.stored_at === null ? 'pending' : 'stored',
      ...(f.event === '' ? {} : { event: f.event }),
    })),
  }));
}

function fieldsOf(row: CasesTable): Omit<Case, 'events' | 'evidence'> {
  return {
    id: row.id,
    number: row.number,
    state: row.state as CaseState,
    class: {
      flag: row.flag as EventClass['flag'],
      code: row.code,
      ...(row.fault === null ? {} : { fault: row.fault }),
    },
    severity: row.severity as Severity,
    source: row.source as CaseSource,
    place: placeOf(row),
    confidence: row.confidence,
    observations: row.observations,
    startedAt: row.started_at,
    confirmedAt: row.confirmed_at,
    lastSeenAt: row.last_seen_at,
    recoveredAt: row.recovered_at,
    openedAt: row.opened_at,
    updatedAt: row.updated_at,
    policyVersion: row.policy_version,
    proposal: row.proposal as Case['proposal'],
    department: row.department,
    reworkCount: row.rework_count,
    mergedInto: row.merged_into,
    recurrenceOf: row.recurrence_of,
  };
}
