import { shareInside } from '../formats/mod.ts';
import type { Box } from '../letterbox.ts';
import type { LoadedModel } from '../manifest.ts';
import type { LabelledPicture, PictureLight } from './folder.ts';
import {
  atThreshold,
  averagePrecision,
  type Claim,
  COCO_IOUS,
  type Judged,
  type Matched,
  matchClass,
  scoreOfPrecision,
  thresholdFor,
} from './precision.ts';
import { ModelRunner, readPicture } from './runner.ts';

/** Things whose shorter side is less, pixels of the picture, neither count for nor against a model. */
export const SIDE_PX_MIN = 12;
/** Nor those of which less is seen. */
export const VISIBLE_MIN = 0.3;
/** A claim of which so much lies where nobody has said what is there is neither right nor wrong. */
const UNKNOWN_SHARE = 0.5;

/** A picture with all that is on it and all that a model claims. */
export interface Answer {
  truth: readonly { class: string; box: Box; visible: number; unknown?: true }[];
  found: readonly { class: string; score: number; box: Box }[];
  light: PictureLight | undefined;
}

/** What is asked of one class. */
export interface ClassScore {
  /** Average precision at an overlap of 0.5, and the mean over 0.50 to 0.95, as COCO counts; null where nothing was to be found. */
  ap50: number | null;
  ap: number | null;
  /** At the model's threshold. */
  precision: number;
  recall: number;
  truths: number;
}

export interface Evaluation {
  map50: number;
  map: number;
  perClass: Record<string, ClassScore>;
  images: number;
}

/** Lets a model look at every picture. */
export async function answersOf(
  model: LoadedModel,
  pictures: readonly LabelledPicture[],
  onProgress: (done: number) => void = () => {},
): Promise<Answer[]> {
  const runner = new ModelRunner(model);
  await runner.start();
  const answers: Answer[] = [];
  try {
    for (const { file, boxes, light } of pictures) {
      const found = await runner.detect(await readPicture(file));
      const truth = boxes.map(({ visible = 1, ...thing }) => ({ ...thing, visible }));
      answers.push({ truth, found, light });
      onProgress(answers.length);
    }
  } finally {
    await runner.stop();
  }
  return answers;
}

/** Which things count: shorter side, pixels of the picture. */
export interface SizeRange {
  fromPx: number;
  toPx: number;
}

const EVERY_SIZE: SizeRange = { fromPx: SIDE_PX_MIN, toPx: Number.POSITIVE_INFINITY };

/** Figures of a model's answers, for things of these sizes, seen at least in part. */
export function evaluate(
  answers: readonly Answer[],
  classes: readonly string[],
  thresholds: Readonly<Record<string, number>>,
  range: SizeRange = EVERY_SIZE,
): Evaluation {
  const pictures = answers.map((a) => judged(a, range));
  const perClass: Record<string, ClassScore> = {};
  for (const name of classes) {
    const aps = COCO_IOUS.map((iouMin) => averagePrecision(matchClass(pictures, name, iouMin)));
    const matched = matchClass(pictures, name, 0.5);
    const at = atThreshold(matched, thresholds[name] ?? 0.5);
    perClass[name] = {
      ap50: rounded(aps[0] ?? null),
      ap: rounded(meanOf(aps)),
      precision: rounded(at.precision) as number,
      recall: rounded(at.recall) as number,
      truths: matched.truths,
    };
  }
  const scores = Object.values(perClass);
  return {
    map50: rounded(meanOf(scores.map((s) => s.ap50))) ?? 0,
    map: rounded(meanOf(scores.map((s) => s.ap))) ?? 0,
    perClass,
    images: answers.length,
  };
}

/** A single picture is right so often where an alarm may come of it; a track's smoothed score over the dwell time errs less. */
const ALARM_PRECISION = 0.95;
const ALARM_SHARE = 0.85;

/** Scores that these answers recommend: for a picture, and for an alarm. To be measured on others. */
export function thresholdsFrom(answers: readonly Answer[], classes: readonly string[]) {
  const pictures = answers.map((a) => judged(a, EVERY_SIZE));
  const of = (choose: (matched: Matched) => number): Record<string, number> =>
    Object.fromEntries(classes.map((name) => [name, rounded(choose(matchClass(pictures, name, 0.5)))]));
  return { thresholds: of(thresholdFor), alarmThresholds: of((m) => ALARM_SHARE * scoreOfPrecision(m, ALARM_PRECISION)) };
}

function judged({ truth, found }: Answer, { fromPx, toPx }: SizeRange): Judged {
  const asked = (box: Box): boolean => {
    const side = Math.min(box[2] - box[0], box[3] - box[1]);
    return side >= fromPx && side < toPx;
  };
  const unknown = truth.filter((t) => t.unknown).map((t) => t.box);
  const things = truth.filter((t) => !t.unknown);
  return {
    truth: things.map(({ class: name, box, visible }) => ({ class: name, box, ignored: visible < VISIBLE_MIN || !asked(box) })),
    found: found.map((f): Claim => ({ ...f, ignored: !asked(f.box) || shareWithin(f.box, unknown) >= UNKNOWN_SHARE })),
  };
}

/** Share of a box that lies in others, which do not overlap. */
const shareWithin = (box: Box, others: readonly Box[]): number => others.reduce((sum, other) => sum + shareInside(box, other), 0);

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((v) => v !== null);
  return known.length === 0 ? null : known.reduce((sum, v) => sum + v, 0) / known.length;
}

function rounded<T extends number | null>(value: T): T {
  return (value === null ? null : Math.round(value * 1000) / 1000) as T;
}
