import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';

/** What the health lane carries, NDJSON: the state of a device, a camera, the node; the confirmation of a configuration. */
export const HEALTH_STATES = ['online', 'offline', 'degraded', 'unknown'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

export const HealthRecord = Type.Object(
  {
    /** UTC ms of the change or of the report. */
    ts: Type.Integer({ minimum: 0 }),
    edge: Id(),
    of: Type.Union([Type.Literal('edge'), Type.Literal('device'), Type.Literal('camera')]),
    id: Id(),
    state: Type.Enum(HEALTH_STATES),
    /** A stable word: 'connected', 'silent', 'stalled', 'black', 'started'. */
    reason: Type.String({ maxLength: 64 }),
    /** UTC ms since when this state holds. */
    since: Type.Integer({ minimum: 0 }),
    /** Counters and gauges of the thing: `analysedFps`, `droppedFrames`, `outboxRecords`, `deadLetters`. */
    values: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Number(), { maxProperties: 64 })),
  },
  { additionalProperties: false },
);
export type HealthRecord = Static<typeof HealthRecord>;

/**
 * A payload that the edge could not use. It travels in the health lane as well, so that the centre's
 * dead-letter store shows what was wrong at every hop.
 */
export const EdgeDeadLetter = Type.Object(
  {
    ts: Type.Integer({ minimum: 0 }),
    edge: Id(),
    of: Type.Literal('dead-letter'),
    /** Who sent it (client id); '' when unknown. */
    id: Type.String({ maxLength: 64 }),
    /** A code of the error catalogue. */
    code: Type.String({ maxLength: 64 }),
    reason: Type.String({ maxLength: 512 }),
    topic: Type.String({ maxLength: 256 }),
    /** Base64 of the payload, cut at 4 KiB. */
    payload: Type.String({ maxLength: 6000 }),
  },
  { additionalProperties: false },
);
export type EdgeDeadLetter = Static<typeof EdgeDeadLetter>;
export const HealthLine = Type.Union([HealthRecord, EdgeDeadLetter]);
export type HealthLine = Static<typeof HealthLine>;
