import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';

/** Centre to edge, `down/command`: somebody holds a grant for originals that lie there. The edge asks the API what it is worth. */
export const ReleaseOriginalCommand = Type.Object(
  { command: Type.Literal('release-original'), grant: Id(), ts: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false },
);
export type ReleaseOriginalCommand = Static<typeof ReleaseOriginalCommand>;

/** What the API answers: who asked, why, until when, and which files he may have. */
export const ReleaseOrder = Type.Object(
  {
    grant: Id(),
    holder: Id(),
    roles: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 }),
    purpose: Type.String({ maxLength: 512 }),
    /** UTC ms. */
    endsAt: Type.Integer({ minimum: 0 }),
    /** SHA-256 of the files themselves. */
    originals: Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), { maxItems: 64 }),
  },
  { additionalProperties: false },
);
export type ReleaseOrder = Static<typeof ReleaseOrder>;
