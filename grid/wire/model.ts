import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/**
 * A model as one file, to be pushed to edges: a JSON header line, `\n`, the manifest as its folder has it, the model file. The
 * header repeats what people and the centre want to know; what counts is the manifest, which is what is signed, and which holds
 * the SHA-256 of the model file.
 */
export const MODEL_PACKAGE_BYTES_MAX = 513 * 1024 * 1024;
export const MODEL_MANIFEST_BYTES_MAX = 1024 * 1024;
const HEADER_BYTES_MAX = 64 * 1024;

export const ModelPackageHeader = Type.Object(
  {
    gewuModel: Type.Literal(1),
    name: Type.String({ pattern: '^[a-z0-9-]{1,48}$' }),
    version: Type.String({ pattern: '^[0-9A-Za-z.+-]{1,32}$' }),
    classes: Type.Array(Type.String({ pattern: '^[a-z0-9_]{1,48}$' }), { minItems: 1, maxItems: 256 }),
    provenance: Type.String({ pattern: '^[a-z-]{1,32}$' }),
    manifestBytes: Type.Integer({ minimum: 2, maximum: MODEL_MANIFEST_BYTES_MAX }),
    modelBytes: Type.Integer({ minimum: 1, maximum: 512 * 1024 * 1024 }),
    /** SHA-256 of the public key, hex. */
    key: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Ed25519, base64, over `modelSignedText`. */
    signature: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$' }),
  },
  { additionalProperties: false },
);
export type ModelPackageHeader = Static<typeof ModelPackageHeader>;
const check = Compile(ModelPackageHeader);

/** What a release key signs. The first line keeps the signature from meaning anything else. */
export const modelSignedText = (manifest: string): string => `gewu-model-1\n${manifest}`;

/** Header and where the manifest begins, from the first bytes of a package; or why it is none. */
export function readModelHeader(
  bytes: Uint8Array,
): { ok: true; header: ModelPackageHeader; manifestAt: number } | { ok: false; fault: string } {
  const end = bytes.subarray(0, HEADER_BYTES_MAX).indexOf(0x0a);
  if (end < 0) return { ok: false, fault: 'no header line in the first 64 KiB' };
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  } catch (error) {
    return { ok: false, fault: `its header is not JSON: ${(error as Error).message}` };
  }
  if (check.Check(header)) return { ok: true, header, manifestAt: end + 1 };
  const first = [...check.Errors(header)][0];
  return { ok: false, fault: `its header: ${first?.instancePath ?? ''} ${first?.message ?? ''}` };
}

/** Path of a package, for edges. */
export const modelPackagePath = (sha256: string) => `api/v1/models/${sha256}/package`;
