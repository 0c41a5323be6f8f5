import type { EvidenceManifest } from '#grid/mod.ts';
import { HERE, T0 } from '../cases/records.ts';

/** What an edge says of a masked picture. */
export function manifestOf(changes: Partial<EvidenceManifest> = {}): EvidenceManifest {
  return {
    v: 1,
    sha256: '0'.repeat(64),
    mediaType: 'image/jpeg',
    bytes: 1000,
    kind: 'snapshot',
    masked: true,
    event: 'ev-1',
    class: '2:0501',
    edge: 'edge-1',
    camera: 'cam-1',
    model: 'street@1',
    takenAt: T0,
    clockOffsetMs: 0,
    place: { ...HERE, errorRadiusM: 2, cell: '210283001001017' },
    ...changes,
  };
}
