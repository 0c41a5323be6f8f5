import { createHash } from 'node:crypto';
import type { Origin } from '../dataset/mod.ts';
import type { LabelledPicture } from '../eval/mod.ts';

export const SPLITS = ['train', 'val', 'test'] as const;
export type Split = (typeof SPLITS)[number];

/** A labelled dataset as it was found: learnt from, thresholds chosen on, measured on. */
export interface ImportedDataset {
  layout: 'yolo' | 'coco' | 'verdicts';
  classes: string[];
  splits: Record<Split, LabelledPicture[]>;
  /** What cannot be used and was left out, each with its file and line. */
  faults: string[];
  /** Of a dataset from verdicts. */
  origin?: Origin;
}

/** Of a split that the dataset does not have, by name of the picture, so that the same picture always goes to the same side. */
const VAL_SHARE = 0.1;
const TEST_SHARE = 0.1;

/** Gives every split its pictures: without `val` and `test` a tenth each, without `test` half of `val`. */
export function completed(splits: Record<Split, LabelledPicture[]>): Record<Split, LabelledPicture[]> {
  const { train, val, test } = splits;
  if (val.length > 0 && test.length > 0) return splits;
  if (val.length > 0) return { train, val: val.filter((p) => lot(p) >= 0.5), test: val.filter((p) => lot(p) < 0.5) };
  const rest = (p: LabelledPicture) => (test.length > 0 ? lot(p) + TEST_SHARE : lot(p));
  return {
    train: train.filter((p) => rest(p) >= VAL_SHARE + TEST_SHARE),
    val: train.filter((p) => rest(p) >= TEST_SHARE && rest(p) < VAL_SHARE + TEST_SHARE),
    test: test.length > 0 ? test : train.filter((p) => rest(p) < TEST_SHARE),
  };
}

/** 0..1, from the picture's name alone: datasets are moved about. */
function lot({ file }: LabelledPicture): number {
  const name = file.split('/').at(-1) ?? file;
  return createHash('sha256').update(name).digest().readUInt32BE(0) / 2 ** 32;
}

/** Class names as rules and manifests write them. */
export function plainName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 48);
}

/** A box within the picture, or why it is none. A pixel beyond an edge is rounding; more is a mistake. */
export function boxFault(
  [left, top, right, bottom]: readonly [number, number, number, number],
  { widthPx, heightPx }: { widthPx: number; heightPx: number },
): string | null {
  if (![left, top, right, bottom].every(Number.isFinite)) return 'a box is four numbers';
  if (right <= left || bottom <= top) return 'the box has no size';
  if (left < -1 || top < -1 || right > widthPx + 1 || bottom > heightPx + 1)
    return `the box reaches beyond the picture of ${widthPx} x ${heightPx}`;
  return null;
}

export function clipped(
  [left, top, right, bottom]: readonly [number, number, number, number],
  { widthPx, heightPx }: { widthPx: number; heightPx: number },
): [number, number, number, number] {
  return [Math.max(0, left), Math.max(0, top), Math.min(widthPx, right), Math.min(heightPx, bottom)];
}
