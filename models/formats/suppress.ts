import type { Box } from '../letterbox.ts';
import type { Detection } from './format.ts';

/** Boxes of one class that overlap by more are one thing. */
export const SAME_CLASS_IOU = 0.5;
/** Boxes of two classes that nearly coincide are one thing of which two names are said: the surer one stays. */
export const CROSS_CLASS_IOU = 0.8;
/** People are never suppressed by another class: whoever masks pictures needs every one of them. */
export const PERSON_CLASS = 'person';
/** More than so many things in one picture are not looked at. */
export const DETECTIONS_MAX = 100;
const CANDIDATES_MAX = 1000;

/** Intersection over union, 0..1. */
export function iou(a: Box, b: Box): number {
  const common = commonArea(a, b);
  return common > 0 ? common / (areaOf(a) + areaOf(b) - common) : 0;
}

/** Share of a box that lies in another one, 0..1. */
export function shareInside(box: Box, other: Box): number {
  const common = commonArea(box, other);
  return common > 0 ? common / areaOf(box) : 0;
}

const areaOf = ([left, top, right, bottom]: Box): number => (right - left) * (bottom - top);

function commonArea(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Greedy non-maximum suppression, best first; at most DETECTIONS_MAX. */
export function suppress(candidates: readonly Detection[]): Detection[] {
  const sorted = [...candidates].sort((a, b) => b.score - a.score).slice(0, CANDIDATES_MAX);
  const kept: Detection[] = [];
  for (const candidate of sorted) {
    if (kept.length >= DETECTIONS_MAX) break;
    const limit = (other: Detection): number => {
      if (other.class === candidate.class) return SAME_CLASS_IOU;
      return other.class === PERSON_CLASS || candidate.class === PERSON_CLASS ? 1 : CROSS_CLASS_IOU;
    };
    if (kept.every((other) => iou(other.box, candidate.box) <= limit(other))) kept.push(candidate);
  }
  return kept;
}
