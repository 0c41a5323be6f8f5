import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';
import { SiteApproval } from '../site/mod.ts';
import { nullable } from './parts.ts';

const strict = { additionalProperties: false } as const;

/** What reviewers found of one class of one model on one camera, and whether it may open cases there. */
export const ApprovalAnswer = Type.Object(
  {
    model: Type.String({ description: 'name@version' }),
    detects: Id('class of the model'),
    judged: Type.Integer(),
    accepted: Type.Integer(),
    precision: nullable(Type.Number({ description: 'accepted / judged; null while nothing is judged' })),
    /** Enough was judged, and enough of it accepted. */
    earned: Type.Boolean(),
    approved: nullable(SiteApproval),
  },
  strict,
);
export type ApprovalAnswer = Static<typeof ApprovalAnswer>;
