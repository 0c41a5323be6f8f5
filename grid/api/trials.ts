import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';
import { CandidateReport } from '../wire/mod.ts';
import { nullable, Sha256, Time } from './parts.ts';

/** A candidate beside the model in use, as the API tells it. */

const strict = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });

const { of: _, id: __, edge: ___, ...candidateProperties } = CandidateReport.properties;
/** The candidate of an edge, as it said last. */
export const EdgeCandidateAnswer = Type.Object(candidateProperties, strict);
export type EdgeCandidateAnswer = Static<typeof EdgeCandidateAnswer>;

const Judged = Type.Object({ accepted: Count, rejected: Count, unjudged: Count }, strict);
export type Judged = Static<typeof Judged>;
const Side = Type.Object(
  {
    incidents: Count,
    precision: nullable(Type.Number({ description: 'accepted / judged; null while nothing is judged' })),
    falseAlarmsPerCameraDay: nullable(Type.Number({ description: 'rejected ones; null while both have not looked' })),
  },
  strict,
);
export type Side = Static<typeof Side>;

const figures = {
  both: Judged,
  gained: Type.Object({ ...Judged.properties }, { ...strict, description: 'incidents that only the candidate raised' }),
  lost: Type.Object({ ...Judged.properties }, { ...strict, description: 'that only the model in use raised' }),
  active: Side,
  candidate: Side,
};
export const TrialFigures = Type.Object(figures, strict);
export type TrialFigures = Static<typeof TrialFigures>;

export const PROMOTION_STATES = ['soaking', 'passed', 'returned', 'superseded'] as const;
export const PromotionAnswer = Type.Object(
  {
    id: Id(),
    edge: Id(),
    state: Type.Enum(PROMOTION_STATES),
    forced: Type.Boolean(),
    reason: Type.String(),
    by: Type.String(),
    at: Time,
    soakUntil: Time,
    endedAt: nullable(Time),
    endedBecause: nullable(Type.String()),
  },
  strict,
);
export type PromotionAnswer = Static<typeof PromotionAnswer>;

/** A limit of the configuration's `promotion` that a comparison does not keep. */
export const UnmetLimit = Type.Object({ limit: Type.String(), wanted: Type.Number(), is: Type.Number() }, strict);
export type UnmetLimit = Static<typeof UnmetLimit>;

const head = {
  package: Sha256,
  model: Type.String({ description: 'name@version of the candidate' }),
  edges: Type.Array(Type.Object({ edge: Id(), candidate: EdgeCandidateAnswer }, strict), {
    description: 'that have it as their candidate, and what they said of it last',
  }),
  cameras: Type.Integer({ description: 'that both have looked at' }),
  cameraHours: Type.Number({ description: 'in which both have looked, over all cameras' }),
};
export const TrialSummary = Type.Object(head, strict);
export type TrialSummary = Static<typeof TrialSummary>;

export const TrialAnswer = Type.Object(
  {
    ...head,
    against: Type.Array(Type.String(), { description: 'name@version of the models that were in use meanwhile' }),
    pictures: Count,
    skipped: Type.Integer({ description: 'pictures that came while the candidate was busy' }),
    total: TrialFigures,
    perClass: Type.Record(Type.String(), TrialFigures),
    /** Whether it may be promoted without force. */
    supported: Type.Boolean(),
    unmet: Type.Array(UnmetLimit),
    promotions: Type.Array(PromotionAnswer, { description: 'newest first' }),
  },
  strict,
);
export type TrialAnswer = Static<typeof TrialAnswer>;
