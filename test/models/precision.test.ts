import { describe, expect, test } from 'vitest';
import {
  type Answer,
  atThreshold,
  averagePrecision,
  type Claim,
  COCO_IOUS,
  evaluate,
  type Judged,
  matchClass,
  scoreOfPrecision,
  thresholdFor,
  thresholdsFrom,
} from '#models/eval/mod.ts';
import type { Box } from '#models/mod.ts';

/** A square of 100 px at (x, 0), or moved by so much: the overlap with the unmoved one is (100 - by) / (100 + by). */
const square = (x: number, by = 0): Box => [x + by, 0, x + by + 100, 100];
const truth = (box: Box, ignored = false) => ({ class: 'stall', box, ignored });
const claim = (score: number, box: Box, ignored = false): Claim => ({ class: 'stall', score, box, ignored });
const ap = (pictures: readonly Judged[], iouMin = 0.5) => averagePrecision(matchClass(pictures, 'stall', iouMin));

describe('average precision, worked by hand', () => {
  test('everything found and nothing else is 1; nothing found is 0; nothing to find is no figure', () => {
    expect(ap([{ truth: [truth(square(0))], found: [claim(0.9, square(0))] }])).toBe(1);
    expect(ap([{ truth: [truth(square(0))], found: [] }])).toBe(0);
    expect(ap([{ truth: [], found: [claim(0.9, square(0))] }])).toBeNull();
  });

  test('two things; right, wrong, right: precision 1 up to recall 0.5, then 2/3', () => {
    const pictures: Judged[] = [
      {
        truth: [truth(square(0)), truth(square(300))],
        found: [claim(0.9, square(0)), claim(0.8, square(600)), claim(0.7, square(300))],
      },
    ];
    // Recalls 0.00 to 0.50 are 51 of the 101, read at precision 1; the other 50 at 2/3.
    expect(ap(pictures)).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
  });

  test('the envelope: a wrong claim before a right one costs the recalls that come after it', () => {
    const found = [claim(0.9, square(600)), claim(0.8, square(0))];
    expect(ap([{ truth: [truth(square(0))], found }])).toBeCloseTo(0.5, 12);
    // What is right later lifts the precision of the recalls before: 1/2, 2/3, 3/4.
    const things = [0, 300, 900].map((x) => truth(square(x)));
    const late = [claim(0.9, square(600)), ...[0, 300, 900].map((x, k) => claim(0.8 - k / 10, square(x)))];
    expect(ap([{ truth: things, found: late }])).toBeCloseTo(3 / 4, 12);
  });

  test('one of four found: the 26 recalls up to 0.25', () => {
    const things = [0, 300, 600, 900].map((x) => truth(square(x)));
    expect(ap([{ truth: things, found: [claim(0.5, square(300))] }])).toBeCloseTo(26 / 101, 12);
  });

  test('a second claim for one thing is wrong', () => {
    const found = [claim(0.9, square(0)), claim(0.8, square(0, 5))];
    const matched = matchClass([{ truth: [truth(square(0))], found }], 'stall', 0.5);
    expect(matched.marks).toEqual([
      { score: 0.9, hit: true },
      { score: 0.8, hit: false },
    ]);
  });

  test('the surer claim takes the thing that it overlaps most, not the first in the list', () => {
    const things = [truth(square(20)), truth(square(0))];
    const found = [claim(0.9, square(0, 2)), claim(0.8, square(20, -2))];
    expect(matchClass([{ truth: things, found }], 'stall', 0.5).marks.every((m) => m.hit)).toBe(true);
  });

  test('an overlap of 0.6 counts up to the threshold 0.60: three of the ten that COCO asks for', () => {
    const pictures: Judged[] = [{ truth: [truth(square(0))], found: [claim(0.9, square(0, 25))] }];
    expect(COCO_IOUS).toEqual([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]);
    expect(COCO_IOUS.map((iouMin) => ap(pictures, iouMin))).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('ignored things and claims of sizes that are not asked for are left out, right claims of any size are not', () => {
    const small: Box = [500, 0, 510, 10];
    const pictures: Judged[] = [
      {
        truth: [truth(square(0)), truth(small, true)],
        // The small one is nobody's fault, the second lies on an ignored thing, the third on one that counts.
        found: [claim(0.9, [800, 0, 805, 5], true), claim(0.8, small), claim(0.7, square(0), true)],
      },
    ];
    expect(matchClass(pictures, 'stall', 0.5)).toEqual({ marks: [{ score: 0.7, hit: true }], truths: 1 });
  });

  test('scores are compared over all pictures', () => {
    const pictures: Judged[] = [
      { truth: [truth(square(0))], found: [claim(0.6, square(0))] },
      { truth: [], found: [claim(0.9, square(0))] },
    ];
    expect(ap(pictures)).toBeCloseTo(0.5, 12);
  });
});

describe('thresholds', () => {
  /** `n` things, each claimed with a score; and wrong claims with theirs. */
  const scored = (right: readonly number[], wrong: readonly number[], truths = right.length) => ({
    marks: [...right.map((score) => ({ score, hit: true })), ...wrong.map((score) => ({ score, hit: false }))].sort(
      (a, b) => b.score - a.score,
    ),
    truths,
  });

  test('precision and recall at a threshold', () => {
    const matched = scored([0.9, 0.8, 0.4], [0.85, 0.3], 4);
    expect(atThreshold(matched, 0.5)).toEqual({ precision: 2 / 3, recall: 0.5 });
    expect(atThreshold(matched, 0.95)).toEqual({ precision: 1, recall: 0 });
  });

  test('the score of the best F1, where that finds nine of ten', () => {
    expect(thresholdFor(scored([0.9, 0.8, 0.7, 0.6], [0.3, 0.25, 0.2]))).toBe(0.6);
  });

  test('a wanted precision: the lowest score from which on it holds, or the best there is', () => {
    const matched = scored([0.9, 0.7, 0.6, 0.3], [0.8, 0.2]);
    expect(scoreOfPrecision(matched, 0.75)).toBe(0.3);
    expect(scoreOfPrecision(scored([0.9, 0.8, 0.4], [0.5]), 0.95)).toBe(0.8);
    expect(scoreOfPrecision(scored([0.5], [0.6]), 0.95)).toBe(0.5);
  });

  test('lower where more is to be found and three of four claims stay right; not below', () => {
    const right = [0.9, 0.88, 0.86, 0.84, 0.82, 0.8, 0.78, 0.3, 0.29, 0.28];
    const few = scored(right, [0.5, 0.5, 0.5]);
    expect(atThreshold(few, thresholdFor(few)).recall).toBeGreaterThanOrEqual(0.9);
    const many = scored(right, Array<number>(20).fill(0.5));
    expect(thresholdFor(many)).toBe(0.78);
  });
});

test('an evaluation counts things of 12 px and more that are seen, class by class', () => {
  const box = (x: number, side: number): Box => [x, 0, x + side, side];
  const answers: Answer[] = [
    {
      light: undefined,
      truth: [
        { class: 'stall', box: box(0, 40), visible: 1 },
        { class: 'stall', box: box(100, 11), visible: 1 },
        { class: 'stall', box: box(200, 40), visible: 0.2 },
        { class: 'person', box: box(300, 30), visible: 1 },
      ],
      found: [
        { class: 'stall', score: 0.9, box: box(0, 40) },
        { class: 'stall', score: 0.3, box: box(400, 40) },
        { class: 'stall', score: 0.9, box: box(500, 8) },
      ],
    },
  ];
  const { map50, map, perClass, images } = evaluate(answers, ['stall', 'garbage', 'person'], {
    stall: 0.5,
    garbage: 0.5,
    person: 0.5,
  });
  expect(images).toBe(1);
  expect(perClass.stall).toEqual({ ap50: 1, ap: 1, precision: 1, recall: 1, truths: 1 });
  expect(perClass.garbage).toMatchObject({ ap50: null, ap: null, truths: 0 });
  expect(perClass.person).toMatchObject({ ap50: 0, recall: 0, truths: 1 });
  // The mean of the classes of which there was something to find.
  expect([map50, map]).toEqual([0.5, 0.5]);
  expect(thresholdsFrom(answers, ['stall'])).toEqual({ thresholds: { stall: 0.9 }, alarmThresholds: { stall: 0.765 } });
});
