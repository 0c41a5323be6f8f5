import { type Static, Type } from 'typebox';

/** What a model has to show on a camera before a person may switch a class on there. */
export const ApprovalsConfig = Type.Object(
  {
    /** Events that reviewers judged, at least. */
    judgedMin: Type.Integer({ minimum: 1, maximum: 10_000, default: 20 }),
    /** Share of them that was accepted, at least. */
    precisionMin: Type.Number({ minimum: 0.5, maximum: 1, default: 0.9 }),
  },
  { additionalProperties: false, default: {} },
);
export type ApprovalsConfig = Static<typeof ApprovalsConfig>;
