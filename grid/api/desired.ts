import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';
import { Calendars } from '../rules/mod.ts';
import { DesiredState, PersonRecall, SiteApproval, SiteCamera } from '../site/mod.ts';
import { CONFIG_VERDICTS, ConfigNote, ModelReport } from '../wire/mod.ts';
import { nullable, Sha256, Time } from './parts.ts';

/** Desired states of edges, as the API tells them. */

const strict = { additionalProperties: false } as const;
/** 0: nothing was ever set, or the edge's own file. An `integer` of PostgreSQL. */
export const DesiredRevision = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });

/**
 * What an edge has made of what is wanted of it. none: nothing is wanted; pending: it has not said yet; ignored: it was started
 * so that it takes nothing; ahead: it runs a revision that this database does not have, as after the return to a backup.
 */
export const DESIRED_STATUSES = ['none', 'pending', 'confirmed', 'refused', 'ignored', 'ahead'] as const;
export type DesiredStatus = (typeof DESIRED_STATUSES)[number];

const summary = {
  edge: Id(),
  revision: Type.Integer({ ...DesiredRevision, description: 'the newest; 0: nothing was ever set' }),
  status: Type.Enum(DESIRED_STATUSES),
  running: nullable(Type.Integer({ ...DesiredRevision, description: 'in force at the edge, as it said last' })),
  reportedAt: nullable(Time),
  notes: Type.Array(ConfigNote, { description: 'why it was refused, or what of it is not in force' }),
};
export const DesiredSummary = Type.Object(summary, strict);
export type DesiredSummary = Static<typeof DesiredSummary>;

/** The model of an edge, as it said last. */
const { of: _, id: __, edge: ___, ...modelProperties } = ModelReport.properties;
export const EdgeModelAnswer = Type.Object(modelProperties, strict);
export type EdgeModelAnswer = Static<typeof EdgeModelAnswer>;

export const DesiredAnswer = Type.Object(
  {
    ...summary,
    state: DesiredState,
    /** Those of the site's own file, and over them those that the centre sets. */
    calendars: Calendars,
    model: nullable(EdgeModelAnswer),
  },
  strict,
);
export type DesiredAnswer = Static<typeof DesiredAnswer>;

const { zones, exclude, calibration } = SiteCamera.properties;
/** One camera as an editor needs it. Parts are null where the centre knows neither a wish nor the file of the edge. */
export const DesiredCameraAnswer = Type.Object(
  {
    ...summary,
    camera: Id(),
    set: Type.Array(Type.String(), { description: 'parts that the centre sets; the others are those of the file of the edge' }),
    zones: nullable(zones),
    exclude: nullable(Type.Array(exclude.items, { maxItems: 32 })),
    calibration: nullable(calibration),
    fps: nullable(Type.Number()),
    /** Which classes may open cases there: set by `/api/v1/cameras/{id}/approvals` alone. */
    approvals: Type.Array(SiteApproval),
    /** Whether people are found there, so that pictures show the street around an event: set by `/api/v1/cameras/{id}/person-recall` alone. */
    personRecall: nullable(PersonRecall),
    residualsM: nullable(
      Type.Array(nullable(Type.Number()), {
        description: 'of each calibration point, metres from where the others say it is; null: behind the horizon',
      }),
    ),
    timeZone: nullable(Type.String()),
    calendars: Type.Array(Id(), { description: 'that windows of its rules may name' }),
    classes: nullable(Type.Array(Type.String(), { description: 'of the model in use, as the edge said last' })),
  },
  strict,
);
export type DesiredCameraAnswer = Static<typeof DesiredCameraAnswer>;

const revision = {
  revision: DesiredRevision,
  by: Type.String(),
  reason: Type.String(),
  at: Time,
  sha256: Sha256,
  bytes: Type.Integer(),
  verdict: nullable(Type.Enum(CONFIG_VERDICTS)),
  verdictAt: nullable(Time),
  notes: Type.Array(ConfigNote),
};
export const RevisionAnswer = Type.Object(revision, strict);
export type RevisionAnswer = Static<typeof RevisionAnswer>;
export const RevisionStateAnswer = Type.Object({ ...revision, state: DesiredState }, strict);
export type RevisionStateAnswer = Static<typeof RevisionStateAnswer>;

export const DesiredDiffAnswer = Type.Object(
  {
    entries: Type.Array(
      Type.Object(
        {
          key: Type.String({ description: '`cameras.cam-1.zones.z-2.rules.r-1.dwellS`: things with an id stand under it' }),
          from: Type.Optional(Type.Unknown()),
          to: Type.Optional(Type.Unknown()),
        },
        strict,
      ),
      { description: '`from` or `to` is absent where there was or is nothing' },
    ),
    truncated: Type.Boolean(),
  },
  strict,
);
export type DesiredDiffAnswer = Static<typeof DesiredDiffAnswer>;

export const ModelPackageAnswer = Type.Object(
  {
    sha256: Sha256,
    name: Type.String(),
    version: Type.String(),
    classes: Type.Array(Type.String()),
    provenance: Type.String(),
    key: Sha256,
    bytes: Type.Integer(),
    by: Type.String(),
    at: Time,
  },
  strict,
);
export type ModelPackageAnswer = Static<typeof ModelPackageAnswer>;
