import { type Static, Type } from 'typebox';

const Hours = (properties: object) => Type.Number({ minimum: 0, maximum: 100_000, ...properties });
const Share = (properties: object) => Type.Number({ minimum: 0, maximum: 1, ...properties });

/** What a candidate has to show beside the model in use before it may take its place, and what brings the old one back. */
export const PromotionConfig = Type.Object(
  {
    /** In which both have looked, over all cameras. */
    cameraHoursMin: Hours({ default: 24 }),
    /** Incidents that reviewers judged. */
    judgedMin: Type.Integer({ minimum: 0, maximum: 100_000, default: 20 }),
    /** Share of the incidents in which the two differ that was judged. */
    differencesJudgedMin: Share({ default: 0.8 }),
    /** Share of the accepted incidents of the model in use that the candidate may miss. */
    lostShareMax: Share({ default: 0.05 }),
    /** False alarms of the candidate for each one of the model in use. */
    falseAlarmRatioMax: Type.Number({ minimum: 0, maximum: 100, default: 1 }),
    /** So long an edge runs with it under watch. */
    soakHours: Hours({ default: 24 }),
    /** While it soaks: rejected events from which on it may be sent back, and how many times the rate of the comparison they have to be. */
    soakFalseAlarmsMin: Type.Integer({ minimum: 1, maximum: 100_000, default: 3 }),
    soakFalseAlarmRatioMax: Type.Number({ minimum: 1, maximum: 100, default: 2 }),
    /** While it soaks: fewer cameras that send pictures than before, for so long, send it back. */
    soakCamerasMissingS: Type.Integer({ minimum: 1, maximum: 86_400, default: 300 }),
  },
  { additionalProperties: false, default: {} },
);
export type PromotionConfig = Static<typeof PromotionConfig>;
