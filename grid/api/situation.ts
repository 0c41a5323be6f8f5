import { type Static, Type } from 'typebox';
import { Case } from '../cases/mod.ts';
import { EventClass, Severity } from '../events/mod.ts';
import { CellCode, listOf, nullable, Time } from './parts.ts';

const strict = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });

const BySeverity = Type.Object({ critical: Count, high: Count, normal: Count, low: Count }, strict);
const ByState = Type.Object({ online: Count, offline: Count, degraded: Count, unknown: Count }, strict);

/** What lists and the map show of an open case; the rest stands in the case itself. */
const UrgentCase = Type.Pick(Case, ['id', 'class', 'severity', 'state', 'place', 'lastSeenAt']);
export type UrgentCase = Static<typeof UrgentCase>;

const Storm = Type.Object(
  {
    classKey: Type.String(),
    class: EventClass,
    severity: Severity,
    count: Count,
    cells: Count,
    openedAt: Time,
    lastSeenAt: Time,
  },
  strict,
);
export const SituationAnswer = Type.Object(
  {
    at: Time,
    openCases: BySeverity,
    devices: ByState,
    cameras: ByState,
    edges: ByState,
    cells: Type.Array(
      Type.Object(
        { code: CellCode, openCases: Type.Partial(BySeverity, strict), devices: Type.Partial(ByState, strict) },
        strict,
      ),
      { description: 'unit grids with an open case, a device or a camera; `devices` counts both; what is zero is left out' },
    ),
    storms: Type.Array(Storm, { description: 'ten or more open cases of one class that were opened within the last hour' }),
    urgent: Type.Array(UrgentCase, { description: 'the other open cases, the most urgent first, 100 at most' }),
  },
  strict,
);
export type SituationAnswer = Static<typeof SituationAnswer>;

/** Events by the hour in which they were confirmed; hours without any are left out. */
export const EventHoursAnswer = Type.Object(
  { from: Time, items: Type.Array(Type.Object({ at: Time, count: Type.Integer({ minimum: 1 }) }, strict)) },
  strict,
);
export type EventHoursAnswer = Static<typeof EventHoursAnswer>;
export type BySeverity = Static<typeof BySeverity>;
export type ByState = Static<typeof ByState>;

const Percents = Type.Array(Type.Integer({ minimum: 0, maximum: 100 }));
/** Whether anything could have been seen: a unit grid without cases may be one that nobody watches. */
export const CoverageAnswer = Type.Object(
  {
    from: Time,
    to: Time,
    hourMs: Type.Integer(),
    cells: Type.Array(
      Type.Object(
        { code: CellCode, cameras: Count, sensors: Count, camera: Percents, sensor: Percents, either: Percents },
        strict,
      ),
      { description: 'percent of each hour in which a camera, a sensor, or either watched; empty where there is none' },
    ),
  },
  strict,
);
export type CoverageAnswer = Static<typeof CoverageAnswer>;

const Lane = Type.Object(
  {
    lane: Type.Union([Type.Literal('events'), Type.Literal('health'), Type.Literal('readings')]),
    storedPerS: Type.Number(),
    deadPerS: Type.Number(),
    queueBytes: Type.Integer(),
    ackMsP95: nullable(Type.Number({ description: 'from arrival to ack, of the last minute; null when none came' })),
  },
  strict,
);
const Replica = Type.Object(
  {
    name: Type.String({ description: 'its machine, and the port of its API' }),
    here: Type.Boolean({ description: 'the one that answers' }),
    running: Type.Boolean({ description: 'false: it has been silent for 20 s, and did not end in order' }),
    startedAt: Time,
    heardAt: Time,
    readingsPerS: Type.Number(),
    eventsPerS: Type.Number(),
    notReady: Type.Array(Type.String({ description: 'what of the stores it does not reach' })),
  },
  strict,
);
export type ReplicaAnswer = Static<typeof Replica>;

export const PipelineAnswer = Type.Object(
  {
    at: Time,
    lanes: Type.Array(Lane),
    history: Type.Array(Type.Object({ at: Time, readingsPerS: Type.Number(), eventsPerS: Type.Number() }, strict)),
    stores: Type.Array(Type.Object({ name: Type.String(), ready: Type.Boolean(), code: nullable(Type.String()) }, strict)),
    evidenceBytes: Type.Integer(),
    deadLetters24h: nullable(Type.Integer({ description: 'null while the database is away' })),
    replicas: nullable(
      Type.Array(Replica, { description: 'each as it has last said of itself; null while the database is away' }),
    ),
  },
  { ...strict, description: 'of this replica but for `replicas`; rates over the last 10 s' },
);
export type PipelineAnswer = Static<typeof PipelineAnswer>;

export const DeadLetterCounts = listOf(
  Type.Object({ edge: Type.String(), hop: Type.String(), code: Type.String(), count: Type.Integer() }, strict),
);
export type DeadLetterCounts = Static<typeof DeadLetterCounts>;
