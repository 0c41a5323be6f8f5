import { buffer } from 'node:stream/consumers';
import type { CaseService } from '../cases/mod.ts';
import type { EvidenceStore } from '../evidence/mod.ts';
import type { LastPictures } from '../live/mod.ts';

/** Events that are looked through for a picture that has arrived. */
const EVENTS_MAX = 10;

export interface Snapshot {
  /** UTC ms. */
  takenAt: number;
  read(): Promise<Buffer>;
}

/** The last masked picture of a camera that the centre has: of a live view, or of an event. Null: none. */
export async function lastPicture(
  camera: string,
  { cases, evidence, pictures }: { cases: CaseService; evidence: EvidenceStore; pictures: LastPictures },
): Promise<Snapshot | null> {
  const [lookedAt, ofEvent] = [await pictures.takenAt(camera), await ofEvents(camera, cases, evidence)];
  if (lookedAt === null || (ofEvent !== null && ofEvent.takenAt > lookedAt)) return ofEvent;
  return { takenAt: lookedAt, read: () => pictures.read(camera) };
}

async function ofEvents(camera: string, cases: CaseService, evidence: EvidenceStore): Promise<Snapshot | null> {
  const { items } = await cases.listEvents({ by: 'camera', source: camera, limit: EVENTS_MAX });
  const files = items
    .flatMap(({ record }) => record.data.evidence)
    .filter((file) => file.mediaType === 'image/jpeg')
    .sort((a, b) => b.takenAt - a.takenAt);
  for (const { sha256, takenAt } of files) {
    if ((await evidence.stat(sha256)) === null) continue;
    return { takenAt, read: async () => buffer((await evidence.open(sha256)).stream) };
  }
  return null;
}
