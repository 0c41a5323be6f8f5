import { type Static, Type } from 'typebox';
import { EventClass, EvidenceRef, Severity } from '../events/event.ts';
import { Id } from '../ids.ts';
import { Place } from '../place.ts';

/** The states of a case. Source: docs/domain/lifecycle.md section 3. All exist from the first day. */
export const CASE_STATES = [
  'REPORTED',
  'VERIFYING',
  'REJECTED',
  'MERGED',
  'FILED',
  'TO_DISPATCH',
  'EXPERT',
  'DISPATCHED',
  'HANDLING',
  'SUSPENDED',
  'FEEDBACK',
  'CHECKING',
  'TO_CLOSE',
  'CLOSED',
  'ARCHIVED',
  'WITHDRAWN',
] as const;
export type CaseState = (typeof CASE_STATES)[number];
export const CaseStateSchema = Type.Enum(CASE_STATES);

/** States in which the city's work on a case is over. */
export const FINISHED_STATES: readonly CaseState[] = ['REJECTED', 'MERGED', 'CLOSED', 'ARCHIVED', 'WITHDRAWN'];

/** Roles in the case cycle. The one that files never dispatches; a machine never closes. */
export const CASE_ROLES = ['supervision', 'command', 'department', 'supervisor', 'leader', 'machine'] as const;
export type CaseRole = (typeof CASE_ROLES)[number];

/** Technical roles of an account. */
export const TECHNICAL_ROLES = ['viewer', 'ops', 'administrator'] as const;
export type TechnicalRole = (typeof TECHNICAL_ROLES)[number];

export const CASE_SOURCES = ['sensor', 'camera', 'supervisor', 'hotline', 'public', 'leader', 'patrol'] as const;
export type CaseSource = (typeof CASE_SOURCES)[number];

/** What the machine may do with an event of a class. `classKey` or a prefix of it decides, the longest match wins. */
export const FILING_MODES = ['verify-first', 'propose', 'file-at-once'] as const;
export type FilingMode = (typeof FILING_MODES)[number];

export const FilingPolicy = Type.Object(
  {
    /** Counts up with every change; a case names the version that opened it. */
    version: Type.Integer({ minimum: 1 }),
    default: Type.Enum(FILING_MODES),
    rules: Type.Array(
      Type.Object(
        {
          /** `1:*:cover_open`, `2:0501`, `1:0118:*`. */
          class: Type.String({ pattern: '^[12]:([0-9]{4}|\\*)(:[A-Za-z0-9_*-]{1,64})?$' }),
          by: Type.Optional(Type.Union([Type.Literal('sensor'), Type.Literal('camera')])),
          severity: Type.Optional(Severity),
          mode: Type.Enum(FILING_MODES),
        },
        { additionalProperties: false },
      ),
      { maxItems: 1000 },
    ),
  },
  { additionalProperties: false },
);
export type FilingPolicy = Static<typeof FilingPolicy>;

/** A case as the API returns it. Evidence is `pending` until its file has arrived; who signed for it stands in the list of its own. */
export const CaseEvidence = Type.Object(
  {
    ...Type.Omit(EvidenceRef, ['signed']).properties,
    status: Type.Union([Type.Literal('pending'), Type.Literal('stored')]),
    event: Type.Optional(Id('the event that named it; none when a person attached it')),
  },
  { additionalProperties: false },
);
export const Case = Type.Object(
  {
    id: Id('of the report; never changes'),
    /** 19 digits: division, date, serial; given at FILED. */
    number: Type.Union([Type.String({ pattern: '^[0-9]{19}$' }), Type.Null()]),
    state: CaseStateSchema,
    class: EventClass,
    severity: Severity,
    source: Type.Enum(CASE_SOURCES),
    place: Place,
    confidence: Type.Number({ minimum: 0, maximum: 1 }),
    /** Events joined to it, the first one opened it. */
    events: Type.Array(Id()),
    /** How many observations (raises and updates of events) it rests on. */
    observations: Type.Integer({ minimum: 1 }),
    startedAt: Type.Integer(),
    confirmedAt: Type.Integer(),
    lastSeenAt: Type.Integer(),
    /** UTC ms: all its events have cleared; evidence of recovery, people close. Null while one is active. */
    recoveredAt: Type.Union([Type.Integer(), Type.Null()]),
    openedAt: Type.Integer(),
    updatedAt: Type.Integer(),
    policyVersion: Type.Integer(),
    /** What the machine proposes under the policy mode 'propose'. */
    proposal: Type.Union([Type.Literal('file'), Type.Null()]),
    /** The department that it was dispatched to. */
    department: Type.Union([Id(), Type.Null()]),
    reworkCount: Type.Integer({ minimum: 0 }),
    mergedInto: Type.Union([Id(), Type.Null()]),
    /** A recently closed case of the same thing. */
    recurrenceOf: Type.Union([Id(), Type.Null()]),
    evidence: Type.Array(CaseEvidence),
  },
  { additionalProperties: false },
);
export type Case = Static<typeof Case>;
