import { createHash } from 'node:crypto';
import { classKey, type EventClass, type EvidenceManifest, type PictureBox, type Place, type SignedManifest } from '#grid/mod.ts';
import { signManifest } from '#service/mod.ts';
import type { CentreApi } from '../centre/mod.ts';
import type { NodeKeys } from './keys.ts';

/** What a file shows, as far as its event says it. */
export interface About {
  event: string;
  class: EventClass;
  place: Place;
  camera: string;
  /** UTC ms; of a clip its beginning, and its end. */
  takenAt: number;
  endedAt?: number;
  /** Of a picture. */
  shows?: PictureBox;
}

/** What kind of file it is, and by which model (`name@version`) it came to be taken. */
export type What = Pick<EvidenceManifest, 'kind' | 'mediaType' | 'model'>;

export interface SignerDeps {
  keys: NodeKeys;
  centre: Pick<CentreApi, 'clockOffsetMs'>;
  edgeId: string;
}

/** Signs for what this node took. */
export class EvidenceSigner {
  readonly #deps: SignerDeps;

  constructor(deps: SignerDeps) {
    this.#deps = deps;
  }

  sign(
    content: Uint8Array,
    what: What & Pick<EvidenceManifest, 'masked' | 'original'>,
    { class: eventClass, ...about }: About,
  ): SignedManifest {
    const { keys, centre, edgeId } = this.#deps;
    const sha256 = createHash('sha256').update(content).digest('hex');
    const file = { v: 1, sha256, bytes: content.length, ...what } as const;
    const at = { ...about, class: classKey(eventClass), edge: edgeId, clockOffsetMs: centre.clockOffsetMs };
    return signManifest({ ...file, ...at }, keys.signing);
  }
}
