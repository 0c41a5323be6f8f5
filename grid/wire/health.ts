import { type Static, Type } from 'typebox';
import { Firmware } from '../firmware.ts';
import { Id } from '../ids.ts';
import { EdgeAuditReport } from './audit.ts';

/** What the health lane carries, NDJSON: the state of a device, a camera, the node; what became of a configuration; dead letters. */
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
    /** What runs on it: of a device as its birth says, of a node its Gewu. A record without it takes nothing back. */
    firmware: Type.Optional(Firmware),
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

export const CONFIG_VERDICTS = ['confirmed', 'refused', 'ignored'] as const;
export const CONFIG_NOTES_MAX = 50;
/** One thing to know about a revision: why it was refused, or what of it is not in force. */
export const ConfigNote = Type.Object(
  {
    /** A code of the error catalogue. */
    code: Type.String({ maxLength: 64 }),
    /** Of the desired state, `cameras.cam-1.zones.0.polygon`; '' for all of it. */
    key: Type.String({ maxLength: 256 }),
    message: Type.String({ maxLength: 512 }),
  },
  { additionalProperties: false },
);
export type ConfigNote = Static<typeof ConfigNote>;

/** What an edge says of its desired state: after each judgement, and after each start. */
export const ConfigReport = Type.Object(
  {
    ts: Type.Integer({ minimum: 0 }),
    edge: Id(),
    of: Type.Literal('config'),
    /** The edge. */
    id: Id(),
    /** Revision in force; 0: the edge's own file alone. */
    running: Type.Integer({ minimum: 0 }),
    /** Revision that this is about. */
    revision: Type.Integer({ minimum: 0 }),
    /** `ignored`: the edge was started so that it takes none. */
    verdict: Type.Enum(CONFIG_VERDICTS),
    notes: Type.Array(ConfigNote, { maxItems: CONFIG_NOTES_MAX }),
  },
  { additionalProperties: false },
);
export type ConfigReport = Static<typeof ConfigReport>;
export const MODEL_PHASES = ['active', 'fetching', 'refused', 'returned'] as const;
/** What an edge says of its model: after each start and each change. */
export const ModelReport = Type.Object(
  {
    ts: Type.Integer({ minimum: 0 }),
    edge: Id(),
    of: Type.Literal('model'),
    /** The edge. */
    id: Id(),
    /** Model in use, `name@version`, and its package; '' where it is the one of the edge's own file. */
    model: Type.String({ maxLength: 96 }),
    package: Type.String({ pattern: '^([0-9a-f]{64})?$' }),
    /** Of the file of the one in use, as its manifest has it; '' where there is no camera. */
    sha256: Type.String({ pattern: '^([0-9a-f]{64})?$' }),
    classes: Type.Array(Type.String({ maxLength: 48 }), { maxItems: 256 }),
    /** Package that is wanted; '' for the one of the edge's own file. */
    wanted: Type.String({ pattern: '^([0-9a-f]{64})?$' }),
    /** active: it is in use; returned: it had been, failed, and the one before is in use again. */
    phase: Type.Enum(MODEL_PHASES),
    /** Of the error catalogue: why not; '' where there is nothing to say. */
    code: Type.String({ maxLength: 64 }),
    message: Type.String({ maxLength: 512 }),
    /** Of the wanted one, CPU time of one thread of this machine for a picture, mean of some runs, ms; null where it was not run. */
    cpuMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    notes: Type.Array(ConfigNote, { maxItems: CONFIG_NOTES_MAX }),
  },
  { additionalProperties: false },
);
export type ModelReport = Static<typeof ModelReport>;

export const CANDIDATE_PHASES = ['shadow', 'fetching', 'refused', 'none'] as const;
/** What an edge says of the candidate that it should look with in shadow: after each start and each change. */
export const CandidateReport = Type.Object(
  {
    ts: Type.Integer({ minimum: 0 }),
    edge: Id(),
    of: Type.Literal('candidate'),
    /** The edge. */
    id: Id(),
    /** Package that is wanted; '' for none. */
    package: Type.String({ pattern: '^([0-9a-f]{64})?$' }),
    /** `name@version`; '' where it was not read. */
    model: Type.String({ maxLength: 96 }),
    phase: Type.Enum(CANDIDATE_PHASES),
    code: Type.String({ maxLength: 64 }),
    message: Type.String({ maxLength: 512 }),
    cpuMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  },
  { additionalProperties: false },
);
export type CandidateReport = Static<typeof CandidateReport>;

/** How long a candidate and the model in use have looked at the same pictures of a camera; an hour's piece, told as it grows. */
export const WatchReport = Type.Object(
  {
    ts: Type.Integer({ minimum: 0 }),
    edge: Id(),
    of: Type.Literal('watch'),
    /** The camera. */
    id: Id(),
    package: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** `name@version` of the candidate, and of the model in use. */
    model: Type.String({ maxLength: 96 }),
    against: Type.String({ maxLength: 96 }),
    /** UTC ms of the piece's first picture, which names the piece, and of its last. */
    since: Type.Integer({ minimum: 0 }),
    until: Type.Integer({ minimum: 0 }),
    watchedMs: Type.Integer({ minimum: 0 }),
    pictures: Type.Integer({ minimum: 0 }),
    /** That came while the candidate was busy. */
    skipped: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type WatchReport = Static<typeof WatchReport>;

/** In the values of a node's own health record: the revision in force, and the newest that it has judged. */
export const DESIRED_VALUES = { running: 'desiredRunning', judged: 'desiredJudged' } as const;

export const HealthLine = Type.Union([
  HealthRecord,
  ConfigReport,
  ModelReport,
  CandidateReport,
  WatchReport,
  EdgeAuditReport,
  EdgeDeadLetter,
]);
export type HealthLine = Static<typeof HealthLine>;
/** What the centre keeps of the lane; dead letters go where all dead letters go. */
export type HealthReport = HealthRecord | ConfigReport | ModelReport | CandidateReport | WatchReport | EdgeAuditReport;
