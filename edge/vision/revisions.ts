import {
  EVIDENCE_FILES_MAX,
  type EventData,
  type EventRecord,
  type EventType,
  type EvidenceRef,
  type SiteCamera,
  toEventRecord,
} from '#grid/mod.ts';
import type { Incident } from './incident.ts';
import type { Located } from './locate.ts';
import { isApproved, isShadow, modelName, type Speaker } from './shadow.ts';

/** Who speaks: one camera of an edge, by a model. */
export interface Voice {
  edgeId: string;
  camera: SiteCamera;
  model: Speaker;
}

/** What the first revision of an incident's event says; evidence comes with its picture. */
export function dataOf(incident: Incident, located: Located, { edgeId, camera, model }: Voice): EventData {
  const { detects } = incident.rule;
  return {
    revision: 1,
    edge: edgeId,
    class: located.class,
    severity: incident.rule.severity,
    confidence: rounded(incident.score),
    place: located.place,
    origin: {
      by: 'camera',
      camera: camera.id,
      zone: incident.zone,
      track: incident.trackId,
      detects,
      model: modelName(model),
      provenance: model.provenance,
      simulated: camera.simulated,
      ...(isApproved(model, camera, detects) ? { approved: true } : {}),
    },
    ...(isShadow(model, camera, detects) ? { suppressed: 'shadow' } : {}),
    startedAt: incident.startedAt,
    confirmedAt: incident.startedAt + Math.round(incident.rule.dwellS * 1000),
    lastSeenAt: incident.lastSeenAt,
    evidence: [],
    ...childrenOf(incident),
  };
}

/** What an incident that goes on says anew. A component once named stays named: the case hangs on it. */
export function newsOf(
  incident: Pick<Incident, 'lastSeenAt' | 'score' | 'count'>,
  located: Located | null,
  before: EventRecord,
): Partial<EventData> {
  const place = located?.place.component === before.data.place.component ? located?.place : undefined;
  return {
    lastSeenAt: incident.lastSeenAt,
    confidence: rounded(incident.score),
    ...childrenOf(incident),
    ...(place === undefined ? {} : { place }),
  };
}

/** The next revision. */
export function revised(record: EventRecord, type: EventType, at: number, changes: Partial<EventData>): EventRecord {
  const clearedAt = type === 'gewu.event.cleared' ? { clearedAt: at } : {};
  return toEventRecord(record.subject, type, at, {
    ...record.data,
    ...clearedAt,
    ...changes,
    revision: record.data.revision + 1,
  });
}

/** The revision that clears an event of a camera or rule that is no more. */
export function clearedRecord(record: EventRecord, at: number): EventRecord {
  return revised(record, 'gewu.event.cleared', at, {});
}

/** The revision that names a further file. A clear stays a clear: the one after it says so, too, with its time. */
export function provedRecord(record: EventRecord, ref: EvidenceRef, at: number): EventRecord {
  const { type, data } = record;
  const isCleared = type === 'gewu.event.cleared';
  const clearedAt = isCleared && data.clearedAt !== undefined ? { clearedAt: data.clearedAt } : {};
  return revised(record, isCleared ? type : 'gewu.event.updated', at, { evidence: withFile(record, ref), ...clearedAt });
}

/** The files of an event and a further one, if it has room. */
export function withFile({ data: { evidence } }: EventRecord, ref: EvidenceRef | null): EvidenceRef[] {
  return ref === null || evidence.length >= EVIDENCE_FILES_MAX ? evidence : [...evidence, ref];
}

/** What was found in shadow and still stands when its class is switched on is told aloud from then on. The way back is not gone. */
export function spokenFor(record: EventRecord, { rule: { detects } }: Incident, { camera, model }: Voice): EventRecord {
  const { suppressed, ...data } = record.data;
  const { origin } = data;
  if (suppressed !== 'shadow' || origin.by !== 'camera' || isShadow(model, camera, detects)) return record;
  const approved = isApproved(model, camera, detects) ? { approved: true as const } : {};
  return {
    ...record,
    data: { ...data, origin: { ...origin, model: modelName(model), provenance: model.provenance, ...approved } },
  };
}

/** A rule that counts says how many there are. */
const childrenOf = ({ count }: Pick<Incident, 'count'>): Pick<EventData, 'children'> =>
  count === null ? {} : { children: { count, devices: [] } };

const rounded = (score: number): number => Math.round(Math.min(1, Math.max(0, score)) * 1000) / 1000;
