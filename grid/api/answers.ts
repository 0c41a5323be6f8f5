import { type Static, Type } from 'typebox';
import { CASE_ROLES, CaseStateSchema, TECHNICAL_ROLES } from '../cases/mod.ts';
import { Id } from '../ids.ts';
import { HEALTH_STATES } from '../wire/mod.ts';
import { CellCode, listOf, nullable, Sha256, Time, Word } from './parts.ts';
import { MaintenanceNow } from './upkeep.ts';

/**
 * What the centre's API answers, where no other part of the domain has a schema for it. The centre documents its routes with
 * these, and the console takes its types from here: one description, and no code of the server in the browser.
 */

const strict = { additionalProperties: false } as const;
/** Technical and case roles stand side by side in an account. */
export const Role = Type.Enum([...TECHNICAL_ROLES, ...CASE_ROLES]);
export type Role = Static<typeof Role>;

const Mistake = Type.Object({ key: Type.String(), value: Type.Optional(Type.Unknown()), message: Type.String() }, strict);
export const ErrorAnswer = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String(),
        message: Type.String(),
        hint: Type.String(),
        mistakes: Type.Optional(Type.Array(Mistake, { description: 'each mistake of a body by its key, `zones.0.polygon`' })),
      },
      strict,
    ),
  },
  { ...strict, description: 'a refusal: a code of docs/errors.md' },
);
export type ErrorAnswer = Static<typeof ErrorAnswer>;

/** One page of a list. */
export interface Page<T> {
  items: T[];
  cursor: string | null;
}

export const HealthStateSchema = Type.Enum(HEALTH_STATES);
export const healthProperties = {
  state: HealthStateSchema,
  reason: Type.String(),
  since: nullable(Time),
  lastSeenAt: nullable(Time),
  values: Type.Record(Type.String(), Type.Number()),
  firmware: nullable(Type.String({ description: 'as it said itself, or its site for it' })),
};
const upkeepProperties = {
  maintenance: MaintenanceNow,
  groups: Type.Array(Id(), { description: 'circuit, pressure zone and basin of its site, and free groups' }),
};
export const EdgeAnswer = Type.Object(
  { id: Id(), cells: Type.Integer(), devices: Type.Integer(), cameras: Type.Integer(), ...healthProperties, ...upkeepProperties },
  strict,
);
const place = { lon: Type.Number(), lat: Type.Number(), cell: nullable(CellCode) };
export const DeviceAnswer = Type.Object(
  {
    id: Id(),
    kind: Word,
    edge: Id(),
    component: Type.String(),
    ...place,
    ...healthProperties,
    ...upkeepProperties,
    lastReadingAt: nullable(Time),
    batteryV: nullable(Type.Number({ description: 'of the last reading' })),
    rssiDbm: nullable(Type.Number({ description: 'of the last reading' })),
  },
  strict,
);
export const CameraAnswer = Type.Object(
  {
    id: Id(),
    edge: Id(),
    component: nullable(Type.String()),
    ...place,
    simulated: Type.Boolean(),
    zones: Type.Integer(),
    ...healthProperties,
    ...upkeepProperties,
  },
  strict,
);
export const LiveAnswer = Type.Object(
  {
    camera: Id(),
    socket: Type.String({ description: 'path of the WebSocket' }),
    viewers: Type.Integer({ description: 'that look through this replica now' }),
    snapshotAt: nullable(Type.Integer({ description: 'UTC ms of the last masked picture; null: none yet' })),
    raw: Type.Object(
      {
        mayAsk: Type.Boolean({ description: 'whether a role of this account may ask for a grant' }),
        grants: Type.Array(Type.Object({ id: Id(), purpose: Type.String(), endsAt: Time }, strict)),
      },
      { ...strict, description: "this account's own grants for this camera, now" },
    ),
  },
  strict,
);
export const HistoryAnswer = listOf(Type.Object({ ts: Time, state: HealthStateSchema, reason: Type.String() }, strict));

export const TimelineAnswer = listOf(
  Type.Object(
    {
      seq: Type.Integer(),
      at: Time,
      actor: Type.String(),
      role: Type.Enum(CASE_ROLES),
      kind: Type.Union([Type.Literal('transition'), Type.Literal('observation')]),
      name: Type.String(),
      from: nullable(CaseStateSchema),
      to: CaseStateSchema,
      input: Type.Record(Type.String(), Type.Unknown()),
      hash: Type.String(),
    },
    strict,
  ),
);
export const TransitionsAnswer = listOf(
  Type.Object(
    {
      name: Type.String(),
      labelZh: Type.String(),
      labelEn: Type.String(),
      input: Type.Unsafe<object>({ type: 'object', description: 'JSON Schema of its input' }),
    },
    strict,
  ),
);
export const DeadLetterAnswer = Type.Object(
  {
    id: Type.String(),
    ts: Time,
    edge: Type.String(),
    hop: Type.String(),
    source: Type.String(),
    code: Type.String(),
    reason: Type.String(),
    payload: Type.String({ description: 'base64, cut at 4 KiB' }),
    topic: nullable(Type.String({ description: 'of a device; null of what came in a frame' })),
    replays: Type.Integer({ description: 'how often it was replayed and is here still' }),
  },
  strict,
);
export const REPLAY_OUTCOMES = ['stored', 'broken', 'sent'] as const;
/** What became of a dead letter that was replayed. */
export const ReplayAnswer = Type.Object(
  {
    outcome: Type.Enum(REPLAY_OUTCOMES, {
      description:
        'stored: it is where it belongs; broken: `letter` says why now; sent: to its edge, whose answer takes the letter away or says why not',
    }),
    letter: nullable(DeadLetterAnswer),
  },
  strict,
);
export type ReplayAnswer = Static<typeof ReplayAnswer>;
export const TokenAnswer = Type.Object(
  {
    sha256: Sha256,
    name: Id(),
    roles: Type.Array(Role),
    department: nullable(Id()),
    createdAt: Time,
    expiresAt: nullable(Time),
  },
  strict,
);

export const SessionAnswer = Type.Object(
  {
    name: Id(),
    roles: Type.Array(Role),
    department: nullable(Id()),
    csrf: nullable(Type.String({ description: 'for the header x-gewu-csrf of changing requests; null for a token' })),
    expiresAt: nullable(Time),
  },
  strict,
);
export const UserAnswer = Type.Object(
  {
    name: Id(),
    roles: Type.Array(Role),
    department: nullable(Id()),
    disabled: Type.Boolean(),
    hasPassword: Type.Boolean(),
    createdAt: Time,
    signedInAt: nullable(Time),
    sessions: Type.Integer({ description: 'open now' }),
  },
  strict,
);

const FieldValue = Type.Union([Type.Number(), Type.Boolean()]);
export const LatestAnswer = listOf(
  Type.Object(
    {
      device: Id(),
      ts: Time,
      kind: Type.String(),
      cell: Type.String(),
      edge: Type.String(),
      fields: Type.Record(Type.String(), FieldValue),
    },
    strict,
  ),
);
const AggregateAnswer = Type.Object(
  { mean: Type.Number(), min: Type.Number(), max: Type.Number(), count: Type.Integer(), last: FieldValue },
  strict,
);
export const RangeAnswer = Type.Union([
  Type.Object(
    {
      resolution: Type.Literal('raw'),
      points: Type.Array(Type.Object({ ts: Time, fields: Type.Record(Type.String(), FieldValue) }, strict)),
      truncated: Type.Boolean(),
    },
    strict,
  ),
  Type.Object(
    {
      resolution: Type.Union([Type.Literal('1m'), Type.Literal('1h')]),
      bucketMs: Type.Integer(),
      points: Type.Array(Type.Object({ ts: Time, fields: Type.Record(Type.String(), AggregateAnswer) }, strict)),
      truncated: Type.Boolean({ description: 'there are more: ask again from the last `ts` on' }),
    },
    strict,
  ),
]);

export type EdgeAnswer = Static<typeof EdgeAnswer>;
export type DeviceAnswer = Static<typeof DeviceAnswer>;
export type CameraAnswer = Static<typeof CameraAnswer>;
export type LiveAnswer = Static<typeof LiveAnswer>;
export type HistoryAnswer = Static<typeof HistoryAnswer>;
export type TimelineAnswer = Static<typeof TimelineAnswer>;
export type TransitionsAnswer = Static<typeof TransitionsAnswer>;
export type DeadLetterAnswer = Static<typeof DeadLetterAnswer>;
export type TokenAnswer = Static<typeof TokenAnswer>;
export type LatestAnswer = Static<typeof LatestAnswer>;
export type RangeAnswer = Static<typeof RangeAnswer>;
export type SessionAnswer = Static<typeof SessionAnswer>;
export type UserAnswer = Static<typeof UserAnswer>;
