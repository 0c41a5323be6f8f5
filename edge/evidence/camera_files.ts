import { classKey, type EvidenceRef } from '#grid/mod.ts';
import type { Log } from '#service/mod.ts';
import type { OriginalStore } from './originals.ts';
import type { About, EvidenceSigner, What } from './signer.ts';
import type { EvidenceStore } from './store.ts';

export interface CameraFilesDeps {
  camera: string;
  store: EvidenceStore;
  originals: OriginalStore;
  signer: EvidenceSigner;
  /** Something waits for its upload. */
  notify: () => void;
  log: Log;
}

/** Where the files of one camera go, signed: originals onto the edge's disk, masked ones to the centre. */
export class CameraFiles {
  readonly #deps: CameraFilesDeps;

  constructor(deps: CameraFilesDeps) {
    this.#deps = deps;
  }

  /** The hash of the original; null when it could not be kept: the event does not fail for that. */
  async keep(original: Buffer, what: What, about: About): Promise<string | null> {
    const { signer, originals, log, camera } = this.#deps;
    const signed = signer.sign(original, { ...what, masked: false }, about);
    try {
      await originals.put(original, signed);
      return signed.manifest.sha256;
    } catch (error) {
      log.error({ camera, event: about.event, err: error }, 'the original could not be kept');
      return null;
    }
  }

  /** Signs and stores a masked file, for its upload. `original` is the hash of what it was made of, once that is kept. */
  async send(masked: Buffer, what: What, about: About, original: string | null | Promise<string | null>): Promise<EvidenceRef> {
    const { signer, store, notify } = this.#deps;
    const { event, takenAt } = about;
    const { mediaType } = what;
    const putting = store.put(masked, { mediaType, event, class: classKey(about.class), takenAt });
    const [ref, kept] = await Promise.all([putting, original]);
    notify();
    return {
      ...ref,
      signed: signer.sign(masked, { ...what, masked: true, ...(kept === null ? {} : { original: kept }) }, about),
    };
  }
}
