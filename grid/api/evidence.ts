import { type Static, Type } from 'typebox';
import { EvidenceRef } from '../events/mod.ts';
import { EVIDENCE_KINDS, GrantKindSchema, GrantSubject, SignedManifest } from '../evidence/mod.ts';
import { Id } from '../ids.ts';
import { listOf, nullable, Sha256, Time } from './parts.ts';

/** What the API answers about evidence, grants and the audit trail. */

const strict = { additionalProperties: false } as const;

export const AuditAnswer = Type.Object(
  {
    seq: Type.Integer(),
    at: Time,
    actor: Type.String(),
    roles: Type.Array(Type.String()),
    action: Type.String(),
    subject: Type.String(),
    purpose: nullable(Type.String()),
    detail: Type.Record(Type.String(), Type.Unknown()),
    hash: Type.String({ description: 'chains each entry to the one before' }),
  },
  strict,
);
export type AuditAnswer = Static<typeof AuditAnswer>;
export const AuditChainAnswer = Type.Object(
  { entries: Type.Integer(), brokenAt: nullable(Type.Integer({ description: 'the first entry that does not fit' })) },
  strict,
);
export type AuditChainAnswer = Static<typeof AuditChainAnswer>;

export const GrantAnswer = Type.Object(
  {
    id: Id(),
    kind: GrantKindSchema,
    subject: GrantSubject,
    edge: Id('that has it'),
    holder: Id(),
    roles: Type.Array(Type.String()),
    purpose: Type.String(),
    createdAt: Time,
    endsAt: Time,
    state: Type.Union([Type.Literal('active'), Type.Literal('over')]),
    endedAt: nullable(Time),
    endedBy: nullable(Type.String({ description: 'an account, or expired' })),
    uses: Type.Integer(),
    lastUsedAt: nullable(Time),
    answer: nullable(
      Type.Union([Type.Literal('sent'), Type.Literal('missing')], {
        description: 'of an original: what the edge said; null: not heard yet',
      }),
    ),
  },
  strict,
);
export type GrantAnswer = Static<typeof GrantAnswer>;

/** What a signature is worth: service/signing.ts says what each word means. */
export const SIGNATURE_STATES = ['valid', 'unsigned', 'unknown-key', 'broken', 'other-file', 'foreign'] as const;
export type SignatureState = (typeof SIGNATURE_STATES)[number];

export const CaseEvidenceAnswer = listOf(
  Type.Object(
    {
      ...EvidenceRef.properties,
      kind: Type.Enum([...EVIDENCE_KINDS, 'photo', 'series']),
      status: Type.Union([Type.Literal('pending'), Type.Literal('stored')]),
      event: nullable(Id('null: a person attached it')),
      by: Type.String({ description: "'event', or the transition that attached it" }),
      masked: nullable(Type.Boolean({ description: 'null: nobody says so' })),
      original: Type.Boolean({ description: 'an unmasked original was kept at the edge' }),
      signature: Type.Enum(SIGNATURE_STATES),
      clockDoubt: nullable(Type.String({ description: 'why its time may be wrong' })),
    },
    strict,
  ),
);
export type CaseEvidenceAnswer = Static<typeof CaseEvidenceAnswer>;

export const EDGE_KEY_STATES = ['pinned', 'waiting', 'retired'] as const;
export const EdgeKeyAnswer = Type.Object(
  {
    edge: Id(),
    keyId: Sha256,
    publicKey: Type.String({ description: 'Ed25519, base64' }),
    state: Type.Enum(EDGE_KEY_STATES, {
      description:
        'pinned: it signs with this one; waiting: another one came and nobody has accepted it; retired: an earlier one',
    }),
    firstSeenAt: Time,
    decidedAt: nullable(Time),
    decidedBy: nullable(Type.String()),
  },
  strict,
);
export type EdgeKeyAnswer = Static<typeof EdgeKeyAnswer>;

export const GrantFilesAnswer = listOf(
  Type.Object(
    { sha256: Sha256, mediaType: Type.String(), bytes: Type.Integer(), receivedAt: Time, signed: SignedManifest },
    strict,
  ),
);
export type GrantFilesAnswer = Static<typeof GrantFilesAnswer>;
