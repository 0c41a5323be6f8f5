import { type Static, Type } from 'typebox';
import { PictureBox } from '../evidence/mod.ts';
import { Id } from '../ids.ts';
import { nullable, Sha256, Time } from './parts.ts';

const strict = { additionalProperties: false } as const;

export const DATASET_SPLITS = ['train', 'val', 'test'] as const;
export type DatasetSplit = (typeof DATASET_SPLITS)[number];

/** Why a verdict is not in a version: what it says of the picture is not known, there is no picture, or not one to trust. */
export const DATASET_LEFT_OUT = ['unclear', 'no-picture', 'no-box', 'not-stored', 'signature'] as const;
export type DatasetLeftOut = (typeof DATASET_LEFT_OUT)[number];

/** Which verdicts become a version; what is not said limits nothing. */
export const DatasetInput = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9-]{1,48}$', description: 'of the series of versions' }),
    reason: Type.String({ minLength: 1, maxLength: 500 }),
    cameras: Type.Optional(Type.Array(Id(), { minItems: 1, maxItems: 200 })),
    classes: Type.Optional(Type.Array(Id('as the model calls it'), { minItems: 1, maxItems: 64 })),
    since: Type.Optional(Time),
    until: Type.Optional(Time),
    groupMinutes: Type.Optional(
      Type.Integer({
        ...{ minimum: 1, maximum: 1440 },
        description: 'pictures of one camera within so long go to one side of the split; 60 unless told',
      }),
    ),
  },
  strict,
);
export type DatasetInput = Static<typeof DatasetInput>;

export const DatasetItem = Type.Object(
  {
    event: Id(),
    camera: Id(),
    /** Class as the model calls it. */
    detects: Id(),
    /** thing: it is in the box; nothing: the model was wrong there. */
    label: Type.Enum(['thing', 'nothing']),
    split: Type.Enum(DATASET_SPLITS),
    picture: Type.String({ ...Sha256, description: 'the masked file: `/api/v1/evidence/{sha256}`' }),
    original: nullable(Type.String({ ...Sha256, description: 'stays at the edge; a grant opens it' })),
    shows: PictureBox,
    takenAt: Time,
    model: Type.String(),
    confidence: Type.Number(),
  },
  strict,
);
export type DatasetItem = Static<typeof DatasetItem>;

const counts = {
  things: Type.Record(Type.String(), Type.Integer(), { description: 'by class' }),
  nothings: Type.Record(Type.String(), Type.Integer(), {
    description: 'hard negatives, by the class that the model took them for',
  }),
  splits: Type.Object({ train: Type.Integer(), val: Type.Integer(), test: Type.Integer() }, strict),
  leftOut: Type.Record(Type.String(), Type.Integer(), {
    description: `verdicts that say nothing usable: ${DATASET_LEFT_OUT.join(', ')}`,
  }),
};
export const DatasetCounts = Type.Object(counts, strict);
export type DatasetCounts = Static<typeof DatasetCounts>;

const summary = {
  id: Type.String({ ...Sha256, description: 'of the content: the same verdicts make the same version' }),
  name: Type.String(),
  /** real-scenes: every camera of it is a real one. */
  scenes: Type.Enum(['real-scenes', 'drawn-scenes', 'unknown']),
  counts: DatasetCounts,
  reason: Type.String(),
  by: Type.String(),
  at: Time,
};
export const DatasetSummary = Type.Object(summary, strict);
export type DatasetSummary = Static<typeof DatasetSummary>;
export const DatasetAnswer = Type.Object({ ...summary, items: Type.Array(DatasetItem) }, strict);
export type DatasetAnswer = Static<typeof DatasetAnswer>;
