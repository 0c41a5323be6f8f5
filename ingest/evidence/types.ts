import type { Readable } from 'node:stream';
import { type Static, Type } from 'typebox';
import type { Service } from '#service/mod.ts';

export const EvidenceConfig = Type.Object(
  {
    dir: Type.String({ minLength: 1, maxLength: 4096 }),
    /** All files together, whole or on their way in, bytes; beyond it uploads are put off (GEWU_EVIDENCE_FULL), nothing is deleted. */
    quotaBytes: Type.Integer({ minimum: 1, default: 50 * 1024 ** 3 }),
  },
  { additionalProperties: false },
);
export type EvidenceConfig = Static<typeof EvidenceConfig>;

export interface StoredFile {
  sha256: string;
  mediaType: string;
  bytes: number;
  storedAt: number;
}

/** Content-addressed files: `dir/aa/bb/aabb...`. */
export interface EvidenceStore extends Service {
  /**
   * Durable when it resolves; the same file again is fine and costs nothing (`created: false`).
   * GEWU_EVIDENCE_MISMATCH when the bytes have another hash, GEWU_PAYLOAD_TOO_LARGE beyond `maxBytes`,
   * GEWU_EVIDENCE_FULL at the quota, GEWU_REQUEST_INVALID for a bad hash or media type.
   * With `offset` what comes is the file from that byte on, and stays when it is cut off: the sender goes on where `uploaded` says.
   * GEWU_EVIDENCE_OFFSET when there is less of it here, or what was kept turns out to be wrong (it is forgotten then).
   */
  put(
    sha256: string,
    mediaType: string,
    content: Readable | Buffer,
    options?: { maxBytes?: number; sender?: string; offset?: number },
  ): Promise<StoredFile & { created: boolean }>;
  /** Bytes that are here of a file that this sender has begun to send; all of one that is here whole. */
  uploaded(sha256: string, sender: string): Promise<number>;
  /** Throws GEWU_NOT_FOUND. */
  open(sha256: string): Promise<StoredFile & { stream: Readable }>;
  stat(sha256: string): Promise<StoredFile | null>;
}
