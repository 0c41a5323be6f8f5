import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { EdgeKeyAnswer } from '#grid/api/mod.ts';
import { Id, SignedManifest } from '#grid/mod.ts';
import { clockDoubt, GewuError, isSignedBy, type KnownKey, keyIdOf } from '#service/mod.ts';

/** What is needed beside a file to prove it: written next to it by `gewu evidence export`. */
export const Proof = Type.Object({
  /** Null: nobody has signed for it. */
  signed: Type.Union([SignedManifest, Type.Null()]),
  /** The event and the edge that the centre knew it by, and when it heard of it; null: nothing is known. */
  claim: Type.Union([
    Type.Object({ event: Id(), edge: Id(), receivedAt: Type.Union([Type.Integer(), Type.Null()]) }),
    Type.Null(),
  ]),
  /** Keys as the centre had them. */
  keys: Type.Array(EdgeKeyAnswer),
});
export type Proof = Static<typeof Proof>;
const checkProof = Compile(Proof);

export const PROOF_SUFFIX = '.proof.json';

export interface Judgement {
  file: string;
  /** Nothing is wrong. */
  proven: boolean;
  /** What does not fit, in words. */
  wrong: string[];
  /** What may not be so, although nothing is wrong. */
  doubts: string[];
  /** What the node says of it; null where that is not to be believed. */
  manifest: SignedManifest['manifest'] | null;
  /** Who vouches for the key. */
  trust: 'given' | 'centre' | null;
}

/** Throws GEWU_CONFIG_UNREADABLE when there is no such proof, or it is none. */
export async function readProof(file: string): Promise<Proof> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (checkProof.Check(value)) return value;
    throw new Error('not a proof');
  } catch (error) {
    throw new GewuError('GEWU_CONFIG_UNREADABLE', `${file}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Proves one file, offline: who took it, when, and that nothing has changed. `given` are public keys (base64) that the verifier has from
 * elsewhere; with them those of the centre do not count.
 */
export function judge(file: string, content: Uint8Array, proof: Proof, given: readonly string[] = []): Judgement {
  const wrong: string[] = [];
  const doubts: string[] = [];
  const { signed, claim } = proof;
  const judged = (manifest: Judgement['manifest'], trust: Judgement['trust']): Judgement => {
    return { file, proven: wrong.length === 0, wrong, doubts, manifest, trust };
  };
  if (signed === null) {
    wrong.push('signature: nobody has signed for this file');
    return judged(null, null);
  }
  const { manifest } = signed;
  const key = keyFor(signed, proof.keys, given);
  const isTrue = key !== null && isSignedBy(signed, key.publicKey);
  if (key === null) wrong.push(`key: unknown (${signed.key}); nobody vouches for it`);
  else if (!isTrue) wrong.push('manifest: changed since it was signed');
  else if (key.edge !== null && key.edge !== manifest.edge)
    wrong.push(`key: belongs to ${key.edge}, but the manifest names ${manifest.edge}`);
  if (key?.state === 'waiting') wrong.push(`key: nobody at the centre has accepted it (${signed.key})`);
  if (key?.state === 'retired') doubts.push('key: was replaced by another one since');
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (sha256 !== manifest.sha256) wrong.push(`file: has the SHA-256 ${sha256}, its manifest is of ${manifest.sha256}`);
  if (claim !== null && claim.event !== manifest.event)
    wrong.push(`event: the case has it for ${claim.event}, it was taken for ${manifest.event}`);
  if (claim !== null && claim.edge !== manifest.edge)
    wrong.push(`edge: it came from ${claim.edge}, and ${manifest.edge} took it`);
  const doubt = clockDoubt(manifest, claim?.receivedAt ?? null);
  if (doubt !== null) doubts.push(`clock: ${doubt}`);
  return judged(isTrue ? manifest : null, key === null ? null : key.trust);
}

interface TrustedKey {
  publicKey: string;
  /** Null: whoever gave it vouches for it, whatever edge it is of. */
  edge: string | null;
  state: KnownKey['state'];
  trust: 'given' | 'centre';
}

function keyFor({ key }: SignedManifest, keys: readonly KnownKey[], given: readonly string[]): TrustedKey | null {
  const own = given.find((publicKey) => keyIdOf(publicKey) === key);
  if (own !== undefined) return { publicKey: own, edge: null, state: 'pinned', trust: 'given' };
  const known = given.length > 0 ? undefined : keys.find((k) => k.keyId === key);
  return known === undefined ? null : { ...known, trust: 'centre' };
}

export async function judgeFile(file: string, proofFile: string, given: readonly string[]): Promise<Judgement> {
  const proof = await readProof(proofFile);
  const content = await readFile(file).catch((cause: Error) => {
    throw new GewuError('GEWU_CONFIG_UNREADABLE', `${file}: ${cause.message}`, { cause });
  });
  return judge(file, content, proof, given);
}

/** The index of an export: which files belong to the case. */
const Index = Type.Object({
  case: Type.Unknown(),
  files: Type.Array(Type.Object({ file: Type.Union([Type.String(), Type.Null()]), sha256: Type.String() })),
});
const checkIndex = Compile(Index);
export const INDEX_FILE = 'case.json';

/** Every file of an export; one that the case names and that is not there is told as well. */
export async function judgeExport(dir: string, given: readonly string[]): Promise<Judgement[]> {
  let index: unknown;
  try {
    index = JSON.parse(await readFile(join(dir, INDEX_FILE), 'utf8'));
  } catch (error) {
    throw new GewuError('GEWU_CONFIG_UNREADABLE', `${dir}: ${(error as Error).message}`, { cause: error });
  }
  if (!checkIndex.Check(index)) throw new GewuError('GEWU_CONFIG_UNREADABLE', `${dir}: not the export of a case`);
  return Promise.all(
    index.files.map(async ({ file, sha256 }): Promise<Judgement> => {
      const absent = (why: string): Judgement => {
        return { file: file ?? sha256, proven: false, wrong: [why], doubts: [], manifest: null, trust: null };
      };
      // A name with a folder in it is none of ours.
      if (file === null) return absent('file: had not arrived at the centre when the case was exported');
      if (!/^[0-9a-f]{64}\.[a-z0-9]{3,4}$/.test(file)) return absent('file: not a name of an export');
      return judgeFile(join(dir, file), join(dir, file + PROOF_SUFFIX), given).catch((error: Error) =>
        absent(`file: ${error.message}`),
      );
    }),
  );
}
