import { iou } from '../formats/mod.ts';
import type { Box } from '../letterbox.ts';

/** A thing that is there. */
export interface Truth {
  class: string;
  box: Box;
  /** Neither missed nor wrongly found: too small, too much hidden. */
  ignored: boolean;
}

/** A thing that a model claims. */
export interface Claim {
  class: string;
  score: number;
  box: Box;
  /** A size that is not asked for: it counts only where it is right. */
  ignored: boolean;
}

/** One picture. Boxes of both in the same units. */
export interface Judged {
  truth: readonly Truth[];
  found: readonly Claim[];
}

/** Every claim of one class with its verdict, best score first, and how many things there were to find. */
export interface Matched {
  marks: readonly { score: number; hit: boolean }[];
  truths: number;
}

/** Overlaps at which COCO asks: 0.50, 0.55, ..., 0.95. */
export const COCO_IOUS: readonly number[] = Array.from({ length: 10 }, (_, k) => (50 + 5 * k) / 100);
/** Recalls at which COCO reads the precision: 0, 0.01, ..., 1. */
const RECALLS = 101;

/**
 * Holds the claims of one class against the truth, as COCO's evaluation does (cocoeval, evaluateImg): best score first, each
 * takes the free thing that it overlaps most, one that counts before one that is ignored. What takes an ignored thing, or
 * takes none and is of a size that is not asked for, is left out.
 */
export function matchClass(pictures: readonly Judged[], className: string, iouMin: number): Matched {
  const marks: { score: number; hit: boolean }[] = [];
  let truths = 0;
  for (const picture of pictures) {
    const things = picture.truth.filter((t) => t.class === className).sort((a, b) => Number(a.ignored) - Number(b.ignored));
    truths += things.filter((t) => !t.ignored).length;
    const free = new Set(things);
    for (const claim of picture.found.filter((f) => f.class === className).sort((a, b) => b.score - a.score)) {
      const thing = bestOf(free, claim.box, iouMin);
      if (thing !== null) free.delete(thing);
      if (thing === null ? !claim.ignored : !thing.ignored) marks.push({ score: claim.score, hit: thing !== null });
    }
  }
  return { marks: marks.sort((a, b) => b.score - a.score), truths };
}

function bestOf(free: ReadonlySet<Truth>, box: Box, iouMin: number): Truth | null {
  let [best, most] = [null as Truth | null, iouMin];
  for (const thing of free) {
    // Those that count come first: once one is found, an ignored one is no better.
    if (best !== null && !best.ignored && thing.ignored) break;
    const overlap = iou(thing.box, box);
    if (overlap >= most) [best, most] = [thing, overlap];
  }
  return best;
}

/** Area under the precision envelope, read at 101 recalls as COCO does; null where there was nothing to find. */
export function averagePrecision({ marks, truths }: Matched): number | null {
  if (truths === 0) return null;
  let hits = 0;
  const points = marks.map(({ hit }, k) => {
    if (hit) hits++;
    return { recall: hits / truths, precision: hits / (k + 1) };
  });
  for (let k = points.length - 2; k >= 0; k--) {
    const [here, next] = [points[k], points[k + 1]] as [{ precision: number }, { precision: number }];
    here.precision = Math.max(here.precision, next.precision);
  }
  let [sum, at] = [0, 0];
  for (let k = 0; k < RECALLS; k++) {
    while (at < points.length && (points[at] as { recall: number }).recall < k / (RECALLS - 1)) at++;
    sum += points[at]?.precision ?? 0;
  }
  return sum / RECALLS;
}

/** Share of the claims from a score on that are right, and of the things that they find; precision is 1 where nothing is claimed. */
export function atThreshold({ marks, truths }: Matched, threshold: number): { precision: number; recall: number } {
  const kept = marks.filter((m) => m.score >= threshold);
  const hits = kept.filter((m) => m.hit).length;
  return { precision: kept.length === 0 ? 1 : hits / kept.length, recall: truths === 0 ? 1 : hits / truths };
}

/** Bounds of a threshold; and of the things, what it should find while so many of its claims are right. */
const LOWEST = 0.15;
const HIGHEST = 0.9;
const RECALL_WANTED = 0.9;
const PRECISION_MIN = 0.75;

/**
 * The score from which a class should count: that of the best F1, or a lower one that finds 90 %, or as many as can be found while
 * three of four claims are right. To be chosen on other pictures than those that are reported.
 */
export function thresholdFor(matched: Matched): number {
  const points = scoresOf(matched);
  let [best, f1] = [0.5, -1];
  for (const { score, precision, recall } of points) {
    const value = (2 * precision * recall) / Math.max(1e-9, precision + recall);
    if (value > f1) [best, f1] = [score, value];
  }
  const sound = points.filter((p) => p.precision >= PRECISION_MIN);
  const finds = sound.find((p) => p.recall >= RECALL_WANTED) ?? sound.at(-1);
  return finds === undefined ? best : Math.min(best, finds.score);
}

/** The lowest score from which on so many claims are right; where none is, that of the best precision. */
export function scoreOfPrecision(matched: Matched, precisionMin: number): number {
  const points = scoresOf(matched);
  const most = Math.max(...points.map((p) => p.precision));
  return points.findLast((p) => p.precision >= Math.min(precisionMin, most))?.score ?? HIGHEST;
}

/** Scores that could be thresholds, best first, with what they give. */
function scoresOf(matched: Matched): { score: number; precision: number; recall: number }[] {
  const scores = [...new Set(matched.marks.map((m) => m.score))].filter((s) => s >= LOWEST && s <= HIGHEST);
  return scores.map((score) => ({ score, ...atThreshold(matched, score) }));
}
