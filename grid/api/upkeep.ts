import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';
import { GROUP_KINDS } from '../site/mod.ts';
import { HEALTH_STATES } from '../wire/mod.ts';
import { listOf, nullable, Time } from './parts.ts';

const strict = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });

/** What is kept going. */
export const THINGS = ['edge', 'device', 'camera'] as const;
export type ThingOf = (typeof THINGS)[number];
export const Thing = Type.Object({ of: Type.Enum(THINGS), id: Id() }, strict);
export type Thing = Static<typeof Thing>;
/** One of them, or all of a group. An edge stands for all that hangs on it. */
export const Subject = Type.Object({ of: Type.Enum([...THINGS, 'group'] as const), id: Id() }, strict);
export type Subject = Static<typeof Subject>;
export const BULK_MAX = 500;

/** Of a thing that is worked on now. */
export const MaintenanceNow = nullable(Type.Object({ until: Time, reason: Type.String(), by: Type.String() }, strict));
export type MaintenanceNow = Static<typeof MaintenanceNow>;
export const MaintenanceAnswer = Type.Object(
  {
    id: Id(),
    subject: Subject,
    from: Time,
    to: Time,
    reason: Type.String(),
    by: Type.String(),
    active: Type.Boolean({ description: 'now' }),
    endedBy: nullable(Type.String({ description: 'who ended it early' })),
  },
  strict,
);
export type MaintenanceAnswer = Static<typeof MaintenanceAnswer>;

/** Those of the sites' files, and free ones. */
export const ALL_GROUP_KINDS = [...GROUP_KINDS, 'free'] as const;
export const GroupAnswer = Type.Object(
  {
    id: Id(),
    name: Type.String(),
    kind: Type.Enum(ALL_GROUP_KINDS),
    edge: nullable(Id('whose site has it; null: a free one')),
    members: Count,
  },
  strict,
);
export type GroupAnswer = Static<typeof GroupAnswer>;

/** Why a maintenance case is open. */
export const UPKEEP_CAUSES = ['edge-silent', 'camera-fault', 'device-fault'] as const;
export type UpkeepCause = (typeof UPKEEP_CAUSES)[number];
export const UPKEEP_STATES = ['open', 'assigned', 'fixed'] as const;
export type UpkeepState = (typeof UPKEEP_STATES)[number];
const upkeepCase = {
  id: Id(),
  cause: Type.Enum(UPKEEP_CAUSES),
  subject: Subject,
  edge: Id(),
  state: Type.Enum(UPKEEP_STATES),
  openedAt: Time,
  acknowledgedAt: nullable(Time),
  acknowledgedBy: nullable(Type.String()),
  assignedTo: nullable(Id()),
  fixedAt: nullable(Time),
  fixedBy: nullable(Type.String({ description: "an account; 'gewu': health came back by itself" })),
  note: nullable(Type.String()),
  members: Type.Integer({ description: 'things that it is about' }),
  sick: Type.Integer({ description: 'of them not well now' }),
};
/** A fault of devices that people mend; apart from the city's cases. */
export const UpkeepCaseAnswer = Type.Object(upkeepCase, strict);
export type UpkeepCaseAnswer = Static<typeof UpkeepCaseAnswer>;
export const UpkeepMemberAnswer = Type.Object(
  { ...Thing.properties, state: Type.Enum(HEALTH_STATES), reason: Type.String(), since: Time, wellAt: nullable(Time) },
  strict,
);
export const UpkeepCaseDetail = Type.Object(
  { ...upkeepCase, things: Type.Array(UpkeepMemberAnswer, { description: '500 at most, the sick ones first' }) },
  strict,
);
export type UpkeepCaseDetail = Static<typeof UpkeepCaseDetail>;

export const FirmwareAnswer = listOf(
  Type.Object({ of: Type.Enum(THINGS), firmware: Type.String(), count: Type.Integer({ minimum: 1 }) }, strict),
);
export type FirmwareAnswer = Static<typeof FirmwareAnswer>;

export const SCORE_PARTS = ['sensors', 'cameras', 'heard', 'backlog'] as const;
export const ScoreAnswer = Type.Object(
  {
    of: Type.Enum(['edge', 'district'] as const),
    id: Type.String(),
    score: nullable(Type.Integer({ minimum: 0, maximum: 100, description: 'null: nothing that counts' })),
    parts: Type.Array(
      Type.Object(
        {
          name: Type.Enum(SCORE_PARTS),
          value: nullable(Type.Number({ minimum: 0, maximum: 1, description: 'null: left out' })),
          weight: Type.Number(),
        },
        strict,
      ),
    ),
    things: Type.Integer({ description: 'sensors and cameras that count' }),
    maintenance: Type.Integer({ description: 'of them under maintenance, left out' }),
  },
  strict,
);
export type ScoreAnswer = Static<typeof ScoreAnswer>;
export const ScoresAnswer = listOf(ScoreAnswer);
