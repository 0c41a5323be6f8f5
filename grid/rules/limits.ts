import { type Static, Type } from 'typebox';

/** Limits of the alarm engine over many alarms. Source: docs/domain/sensors.md section 4, rules 4, 7 and 8. */
const strict = { additionalProperties: false } as const;
const windowS = () => Type.Number({ minimum: 1, maximum: 86_400 });

/** More than `transitions` (raised or cleared) of one device within the window: it is unstable. */
export const FlappingLimits = Type.Object(
  { transitions: Type.Integer({ minimum: 1, maximum: 100 }), windowS: windowS() },
  strict,
);
export type FlappingLimits = Static<typeof FlappingLimits>;

/** So many members, or more than the share of them, with the same alarm within the window: one event of their group. */
export const GroupLimits = Type.Object(
  {
    members: Type.Integer({ minimum: 2, maximum: 1000 }),
    share: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    windowS: windowS(),
    /** Seconds below half of it: the members speak for themselves again. */
    clearS: Type.Number({ minimum: 0, maximum: 86_400 }),
    /** Seconds for which the first members are held back, so that those who follow make one event of all. */
    holdS: Type.Number({ minimum: 0, maximum: 3600 }),
  },
  strict,
);
export type GroupLimits = Static<typeof GroupLimits>;

/** More than `raises` in one unit grid within the window: a storm. */
export const StormLimits = Type.Object({ raises: Type.Integer({ minimum: 2, maximum: 1000 }), windowS: windowS() }, strict);
export type StormLimits = Static<typeof StormLimits>;

/** `false` switches one off; what is not said is as in `ALARM_LIMITS`. */
export const AlarmSettings = Type.Object(
  {
    flapping: Type.Optional(Type.Union([Type.Literal(false), FlappingLimits])),
    group: Type.Optional(GroupLimits),
    storm: Type.Optional(Type.Union([Type.Literal(false), StormLimits])),
  },
  strict,
);
export type AlarmSettings = Static<typeof AlarmSettings>;

export interface AlarmLimits {
  flapping: FlappingLimits | false;
  group: GroupLimits;
  storm: StormLimits | false;
}

export const ALARM_LIMITS: AlarmLimits = {
  flapping: { transitions: 4, windowS: 3600 },
  group: { members: 3, share: 0.3, windowS: 600, clearS: 60, holdS: 60 },
  storm: { raises: 20, windowS: 60 },
};
