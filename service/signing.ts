import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import type { EdgeKeyAnswer, SignatureState } from '#grid/api/mod.ts';
import { type EvidenceManifest, type EvidenceRef, type SignedManifest, signedText } from '#grid/mod.ts';

/** Ed25519 [RFC 8032]: 32 bytes of public key, base64 on the wire; a key is named by its SHA-256, hex. */

export function newSigningKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

export function publicKeyOf(privateKey: KeyObject): string {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url').toString('base64');
}

export function keyIdOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
}

/** Signature of a text, base64, and the id of the key that made it. */
export function signText(text: string, privateKey: KeyObject): { key: string; signature: string } {
  return { key: keyIdOf(publicKeyOf(privateKey)), signature: sign(null, Buffer.from(text), privateKey).toString('base64') };
}

/** Whether the text is as the holder of this key signed it. */
export function isTextSignedBy(text: string, { key, signature }: { key: string; signature: string }, publicKey: string): boolean {
  if (keyIdOf(publicKey) !== key) return false;
  try {
    const x = Buffer.from(publicKey, 'base64').toString('base64url');
    const object = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, Buffer.from(text), object, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

export function signManifest(manifest: EvidenceManifest, privateKey: KeyObject): SignedManifest {
  return { manifest, ...signText(signedText(manifest), privateKey) };
}

/** Whether the manifest is as the holder of this key signed it. */
export function isSignedBy({ manifest, key, signature }: SignedManifest, publicKey: string): boolean {
  return isTextSignedBy(signedText(manifest), { key, signature }, publicKey);
}

/** A key that is known for an edge. */
export type KnownKey = Pick<EdgeKeyAnswer, 'edge' | 'keyId' | 'publicKey' | 'state'>;

/** Who claims the file: the event that names it, and the edge that sent the event. */
export interface Claim {
  event: string;
  edge: string;
}

/**
 * Judges the signature of a file that an event names; `claim` is null where only the file is at hand.
 *
 *   valid        signed with a key that was pinned for the edge it names, and it names this file of this event
 *   unsigned     there is none
 *   unknown-key  nobody has pinned the key for that edge
 *   broken       the manifest is not what was signed
 *   other-file   a true manifest, of another file
 *   foreign      a true manifest, of another event or another edge
 */
export function judgeSignature(
  ref: Pick<EvidenceRef, 'sha256' | 'bytes' | 'takenAt' | 'signed'>,
  claim: Claim | null,
  keys: readonly KnownKey[],
): SignatureState {
  const { signed } = ref;
  if (signed === undefined) return 'unsigned';
  const { manifest } = signed;
  const key = keys.find((k) => k.edge === manifest.edge && k.keyId === signed.key && k.state !== 'waiting');
  if (key === undefined) return 'unknown-key';
  if (!isSignedBy(signed, key.publicKey)) return 'broken';
  if (manifest.sha256 !== ref.sha256 || manifest.bytes !== ref.bytes || manifest.takenAt !== ref.takenAt) return 'other-file';
  if (claim !== null && (manifest.event !== claim.event || manifest.edge !== claim.edge)) return 'foreign';
  return 'valid';
}

/** A node's clock further from the centre's than this is doubtful. The centre's answers tell whole seconds. */
export const CLOCK_DOUBT_MS = 5_000;

/** Why the time in a manifest may be wrong, or null. `receivedAt` is the centre's time of the event that named it. */
export function clockDoubt({ clockOffsetMs, takenAt }: EvidenceManifest, receivedAt: number | null): string | null {
  if (receivedAt !== null && takenAt > receivedAt + CLOCK_DOUBT_MS) return 'taken after it reached the centre';
  if (clockOffsetMs === null) return 'the node had not compared its clock with the centre';
  if (Math.abs(clockOffsetMs) > CLOCK_DOUBT_MS) return `the node's clock was ${clockOffsetMs} ms from the centre's`;
  return null;
}
