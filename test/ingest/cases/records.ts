import { createHash } from 'node:crypto';
import { type EventData, type EventRecord, type EvidenceRef, type Position, toEventRecord } from '#grid/mod.ts';

/** Events as edges send them. Nothing here belongs to the test runner: child processes use it too. */

export const T0 = Date.UTC(2026, 10, 23, 2, 0, 0);
export const CELL = '210283001001017';
export const COVER = '2102830102000001';
export const HERE: Position = { lon: 122.97, lat: 39.69 };

/** A point so many metres to the east of another. */
export function east(m: number, from: Position = HERE): Position {
  return { lat: from.lat, lon: from.lon + m / (111_195 * Math.cos((from.lat * Math.PI) / 180)) };
}

export const sha = (text: string) => createHash('sha256').update(text).digest('hex');
export const photo = (name: string, takenAt = T0): EvidenceRef => ({
  sha256: sha(name),
  mediaType: 'image/jpeg',
  bytes: 1000,
  takenAt,
});

type Overrides = Partial<Omit<EventData, 'place'>> & { place?: Partial<EventData['place']>; at?: Position };

/** A stall that a camera sees. */
export function stall(subject: string, revision = 1, overrides: Overrides = {}): EventRecord {
  return record(subject, revision, {
    class: { flag: 2, code: '0501' },
    severity: 'normal',
    origin: {
      by: 'camera',
      camera: 'cam-1',
      zone: 'z1',
      track: subject,
      model: 'street@1',
      provenance: 'drawn-scenes',
      simulated: true,
    },
    ...overrides,
  });
}

/** An open manhole cover that its sensor reports. */
export function openCover(subject: string, revision = 1, overrides: Overrides = {}): EventRecord {
  return record(subject, revision, {
    class: { flag: 1, code: '0102', fault: 'cover_open' },
    severity: 'critical',
    confidence: 1,
    origin: { by: 'sensor', device: 'mh-1', kind: 'manhole_cover', rule: 'opened', field: 'opened', value: true },
    ...overrides,
    place: { errorRadiusM: 2, component: COVER, ...overrides.place },
  });
}

function record(
  subject: string,
  revision: number,
  { at = HERE, place, ...data }: Overrides & Pick<EventData, 'class' | 'severity' | 'origin'>,
) {
  const cleared = data.clearedAt !== undefined;
  const seenAt = T0 + revision * 10_000;
  const full: EventData = {
    revision,
    edge: 'edge-1',
    confidence: 0.8,
    startedAt: T0,
    confirmedAt: T0 + 5000,
    lastSeenAt: seenAt,
    evidence: [],
    ...data,
    place: { ...at, errorRadiusM: 5, cell: CELL, ...place },
  };
  const type = cleared ? 'gewu.event.cleared' : revision === 1 ? 'gewu.event.raised' : 'gewu.event.updated';
  return toEventRecord(subject, type, seenAt, full);
}
