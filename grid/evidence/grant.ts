import { type Static, Type } from 'typebox';
import type { CaseRole, TechnicalRole } from '../cases/case.ts';
import { Id } from '../ids.ts';

export const SUBJECTS = ['camera', 'evidence', 'event'] as const;
export type SubjectOf = (typeof SUBJECTS)[number];

/** What a grant opens, for which subjects, and who may ask for it. Never a viewer, a department, a machine. */
export const GRANT_KINDS = {
  'raw-view': { of: ['camera'], roles: ['ops', 'administrator', 'supervision', 'command'] },
  original: { of: ['evidence', 'event'], roles: ['supervision', 'command', 'leader'] },
} as const satisfies Record<string, { of: readonly SubjectOf[]; roles: readonly (CaseRole | TechnicalRole)[] }>;
export type GrantKind = keyof typeof GRANT_KINDS;
export const GrantKindSchema = Type.Enum(Object.keys(GRANT_KINDS) as GrantKind[]);

/** A camera's id, the SHA-256 of one masked file, or an event with all its files. */
export const GrantSubject = Type.Object(
  { of: Type.Enum(SUBJECTS), id: Id('camera, event, or the SHA-256 of a masked file') },
  { additionalProperties: false },
);
export type GrantSubject = Static<typeof GrantSubject>;

export const GRANT_MINUTES_MAX = 60;
const PURPOSE_CHARS_MIN = 8;
const PURPOSE_CHARS_MAX = 500;

/** What is asked for. */
export const NewGrant = Type.Object(
  {
    kind: GrantKindSchema,
    subject: GrantSubject,
    purpose: Type.String({
      minLength: PURPOSE_CHARS_MIN,
      maxLength: PURPOSE_CHARS_MAX,
      pattern: '\\S',
      description: 'why, in your own words; kept in the audit trail for ever',
    }),
    minutes: Type.Integer({ minimum: 1, maximum: GRANT_MINUTES_MAX }),
  },
  { additionalProperties: false },
);
export type NewGrant = Static<typeof NewGrant>;
