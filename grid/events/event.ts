import { type Static, Type } from 'typebox';
import { EVIDENCE_BYTES_MAX, EVIDENCE_MEDIA_TYPES, SignedManifest } from '../evidence/mod.ts';
import { Id } from '../ids.ts';
import { Place } from '../place.ts';

/**
 * An event: something is wrong at a place. It lives through revisions; the centre keeps the highest,
 * in whatever order they come.
 *
 *   raised (revision 1) --> updated (2..n) --> cleared (n + 1)
 *
 * The envelope carries the CloudEvents 1.0 attributes; `id` is `{subject}.{revision}`.
 */

/** Component fault (1) or city event (2): the two share the four-digit space, so the flag is always kept. */
export const ClassFlag = { component: 1, event: 2 } as const;
export type ClassFlag = (typeof ClassFlag)[keyof typeof ClassFlag];

export const EventClass = Type.Object(
  {
    flag: Type.Union([Type.Literal(1), Type.Literal(2)]),
    /** Major + minor of the catalogue, four digits. */
    code: Type.String({ pattern: '^[0-9]{4}$' }),
    /** For a component: what is wrong with it, a key of `FAULTS` in `grid/catalogue`. */
    fault: Type.Optional(Id()),
  },
  { additionalProperties: false },
);
export type EventClass = Static<typeof EventClass>;

export const SEVERITIES = ['critical', 'high', 'normal', 'low'] as const;
export const Severity = Type.Enum(SEVERITIES);
export type Severity = (typeof SEVERITIES)[number];

/** Files of one revision. */
export const EVIDENCE_FILES_MAX = 16;

/** One file that proves an event; it follows by HTTP under its hash. */
export const EvidenceRef = Type.Object(
  {
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    mediaType: Type.Enum(EVIDENCE_MEDIA_TYPES),
    bytes: Type.Integer({ minimum: 1, maximum: EVIDENCE_BYTES_MAX }),
    takenAt: Type.Integer({ minimum: 0 }),
    /** Of what an edge node took: who, when, where, signed by it. */
    signed: Type.Optional(SignedManifest),
  },
  { additionalProperties: false },
);
export type EvidenceRef = Static<typeof EvidenceRef>;

export const SensorOrigin = Type.Object(
  {
    by: Type.Literal('sensor'),
    device: Id(),
    kind: Id(),
    rule: Id(),
    field: Id(),
    value: Type.Union([Type.Number(), Type.Boolean()]),
  },
  { additionalProperties: false },
);
export const CameraOrigin = Type.Object(
  {
    by: Type.Literal('camera'),
    camera: Id(),
    zone: Id(),
    track: Id(),
    /** What the model calls it; not said by edges from before. */
    detects: Type.Optional(Id()),
    /** `name@version` of the model that saw it. */
    model: Type.String({ maxLength: 128 }),
    /** A model that knows only drawn scenes opens no case on a real camera. */
    provenance: Type.Enum(['drawn-scenes', 'real-scenes', 'unknown']),
    /** The camera is a simulated one (its configuration says so). */
    simulated: Type.Boolean(),
    /** A person has switched this class on for this camera and this model (docs/models.md). */
    approved: Type.Optional(Type.Literal(true)),
  },
  { additionalProperties: false },
);
export const EventOrigin = Type.Union([SensorOrigin, CameraOrigin]);
export type EventOrigin = Static<typeof EventOrigin>;

export const EVENT_TYPES = ['gewu.event.raised', 'gewu.event.updated', 'gewu.event.cleared'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Why an event opens no case; `fixture`: its camera has shown it from its first minute on, and keeps it quiet. */
export const SUPPRESSIONS = ['maintenance', 'shadow', 'fixture'] as const;
export type Suppression = (typeof SUPPRESSIONS)[number];

/** What a camera said of a sensor's alarm: it sees it, it sees the place without it, its model knows no such thing, it shows nothing; or none has the place in view. */
export const SECOND_SOURCE_VERDICTS = ['agrees', 'disagrees', 'no-opinion', 'no-view', 'no-camera'] as const;
export const SecondSource = Type.Object(
  {
    verdict: Type.Enum(SECOND_SOURCE_VERDICTS),
    camera: Type.Optional(Id()),
    /** UTC ms of the picture that decided, or of the question. */
    at: Type.Integer({ minimum: 0 }),
    /** What it saw, and how far from where the sensor is. */
    detected: Type.Optional(
      Type.Object(
        { class: Id(), score: Type.Number({ minimum: 0, maximum: 1 }), offM: Type.Number({ minimum: 0 }) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type SecondSource = Static<typeof SecondSource>;

/** Devices named by an event that stands for many; `children.count` goes on. */
export const CHILDREN_MAX = 256;

export const EventData = Type.Object(
  {
    revision: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
    edge: Id(),
    class: EventClass,
    severity: Severity,
    confidence: Type.Number({ minimum: 0, maximum: 1 }),
    place: Place,
    origin: EventOrigin,
    /** UTC ms: the condition was first seen. */
    startedAt: Type.Integer({ minimum: 0 }),
    /** UTC ms: the confirm or dwell time was complete. */
    confirmedAt: Type.Integer({ minimum: 0 }),
    /** UTC ms: last seen. */
    lastSeenAt: Type.Integer({ minimum: 0 }),
    /** UTC ms, in the last revision only. */
    clearedAt: Type.Optional(Type.Integer({ minimum: 0 })),
    evidence: Type.Array(EvidenceRef, { maxItems: EVIDENCE_FILES_MAX }),
    /**
     * Recorded, and no case is opened while it says so: raised under a maintenance window or work permit, by a model that may not
     * speak for this camera yet, or of what was there before the camera looked.
     */
    suppressed: Type.Optional(Type.Enum(SUPPRESSIONS)),
    /** Found in data that came more than an hour late: history, recorded without a case. */
    late: Type.Optional(Type.Literal(true)),
    /** Of a sensor's critical alarm, once a camera was asked. The alarm stands whatever it says. */
    secondSource: Type.Optional(SecondSource),
    /** The alarms that this one event stands for (a dark circuit, a storm): how many now, and of which devices, the first ones. */
    children: Type.Optional(
      Type.Object(
        { count: Type.Integer({ minimum: 0 }), devices: Type.Array(Id(), { maxItems: CHILDREN_MAX }) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type EventData = Static<typeof EventData>;

export const EventRecord = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}\\.[0-9]{1,10}$' }),
    /** `/edges/{edgeId}` */
    source: Type.String({ pattern: '^/edges/[A-Za-z0-9_-]{1,64}$' }),
    type: Type.Enum(EVENT_TYPES),
    /** RFC 3339, of this revision. */
    time: Type.String({ maxLength: 40 }),
    subject: Id('the event, the same through all its revisions'),
    datacontenttype: Type.Literal('application/json'),
    data: EventData,
  },
  { additionalProperties: false },
);
export type EventRecord = Static<typeof EventRecord>;
