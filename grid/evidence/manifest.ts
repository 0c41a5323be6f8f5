import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';
import { Place } from '../place.ts';

export const EVIDENCE_MEDIA_TYPES = ['image/jpeg', 'application/json', 'video/mp4'] as const;
export type EvidenceMediaType = (typeof EVIDENCE_MEDIA_TYPES)[number];
export const EVIDENCE_KINDS = ['snapshot', 'clip'] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** One file, 16 MiB at most. */
export const EVIDENCE_BYTES_MAX = 16 * 1024 * 1024;
const Hash = () => Type.String({ pattern: '^[0-9a-f]{64}$' });

const Share = () => Type.Number({ minimum: 0, maximum: 1 });
/** A thing in a picture. */
export const PictureBox = Type.Object(
  {
    /** Of the picture, without what is written below it. */
    widthPx: Type.Integer({ minimum: 1, maximum: 16_384 }),
    heightPx: Type.Integer({ minimum: 1, maximum: 16_384 }),
    /** [left, top, right, bottom], fractions of it. */
    box: Type.Tuple([Share(), Share(), Share(), Share()]),
  },
  { additionalProperties: false },
);
export type PictureBox = Static<typeof PictureBox>;

/** What an edge node says of one file that it took, and signs. Closed: what is not here is not signed. */
export const EvidenceManifest = Type.Object(
  {
    v: Type.Literal(1),
    sha256: Hash(),
    mediaType: Type.Enum(EVIDENCE_MEDIA_TYPES),
    bytes: Type.Integer({ minimum: 1, maximum: EVIDENCE_BYTES_MAX }),
    kind: Type.Enum(EVIDENCE_KINDS),
    /** False: an original, as the camera sent it. */
    masked: Type.Boolean(),
    /** Of a masked file: the original that it was made of, which stays at the edge. */
    original: Type.Optional(Hash()),
    event: Id(),
    /** `2:0501`, `1:0102:cover_open` */
    class: Type.String({ maxLength: 80 }),
    edge: Id(),
    camera: Id(),
    /** `name@version` */
    model: Type.String({ maxLength: 128 }),
    /** UTC ms; of a clip its beginning and its end. */
    takenAt: Type.Integer({ minimum: 0 }),
    endedAt: Type.Optional(Type.Integer({ minimum: 0 })),
    /** The node's clock less the centre's when they last spoke, ms; null when they had not within an hour. */
    clockOffsetMs: Type.Union([Type.Integer(), Type.Null()]),
    place: Place,
    /** Of a picture: where in it the thing is. */
    shows: Type.Optional(PictureBox),
  },
  { additionalProperties: false },
);
export type EvidenceManifest = Static<typeof EvidenceManifest>;

/** The manifest as the node signed it: Ed25519 over `signedBytes`. */
export const SignedManifest = Type.Object(
  {
    manifest: EvidenceManifest,
    /** SHA-256 of the public key, hex. */
    key: Hash(),
    /** 64 bytes, base64. */
    signature: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$' }),
  },
  { additionalProperties: false },
);
export type SignedManifest = Static<typeof SignedManifest>;

/** Before the manifest in what is signed: a signature of something else is none of this. */
const SIGNED_PREFIX = 'gewu-evidence-1\n';

/** What is signed, as UTF-8: the prefix and the manifest in canonical JSON [RFC 8785]. Source: docs/wire.md. */
export function signedText(manifest: EvidenceManifest): string {
  return SIGNED_PREFIX + canonicalJson(manifest);
}

/** Canonical JSON [RFC 8785]: no white space, keys in the order of their UTF-16 code units, numbers as ECMAScript prints them. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}
