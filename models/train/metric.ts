/** Average precision at IoU 0.5, as PASCAL VOC 2010 counts it (area under the precision envelope, all points). */

export type Box = [number, number, number, number];

export interface Found {
  kind: number;
  score: number;
  box: Box;
}

export interface ScoredImage {
  /** Ignored truth is neither missed nor wrongly found. */
  truth: { kind: number; box: Box; ignored: boolean }[];
  found: Found[];
}

/** Every finding of one class with its verdict, best score first, and how many there were to find. */
export interface Matched {
  marks: { score: number; hit: boolean }[];
  truths: number;
}

const IOU_HIT = 0.5;

export function iou(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const inter = width * height;
  return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter);
}

export function match(images: readonly ScoredImage[], kind: number): Matched {
  const marks: Matched['marks'] = [];
  let truths = 0;
  for (const image of images) {
    const truth = image.truth.filter((entry) => entry.kind === kind).map((entry) => ({ ...entry, taken: false }));
    truths += truth.filter((entry) => !entry.ignored).length;
    const found = image.found.filter((entry) => entry.kind === kind).sort((a, b) => b.score - a.score);
    for (const { score, box } of found) {
      const near = truth
        .filter((entry) => !entry.taken)
        .map((entry) => ({ entry, overlap: iou(entry.box, box) }))
        .filter(({ overlap }) => overlap >= IOU_HIT)
        // A counted truth is preferred to an ignored one.
        .sort((a, b) => Number(a.entry.ignored) - Number(b.entry.ignored) || b.overlap - a.overlap)[0];
      if (near === undefined) marks.push({ score, hit: false });
      else if (!near.entry.ignored) {
        near.entry.taken = true;
        marks.push({ score, hit: true });
      }
    }
  }
  marks.sort((a, b) => b.score - a.score);
  return { marks, truths };
}

/** Precision after each finding, best score first. */
function precisions(matched: Matched): number[] {
  let hits = 0;
  return matched.marks.map(({ hit }, k) => {
    if (hit) hits++;
    return hits / (k + 1);
  });
}

export function averagePrecision(matched: Matched): number {
  if (matched.truths === 0) return 0;
  const curve = precisions(matched);
  let best = 0;
  let sum = 0;
  for (let k = curve.length - 1; k >= 0; k--) {
    best = Math.max(best, curve[k] as number);
    if (matched.marks[k]?.hit) sum += best;
  }
  return sum / matched.truths;
}

/** The lowest score that still keeps the wanted precision; where nothing does, the one of the best precision. Within 0.2..0.9. */
export function thresholdFor(matched: Matched, precisionWanted: number): number {
  const curve = precisions(matched);
  let chosen = -1;
  curve.forEach((precision, k) => {
    if (precision >= precisionWanted) chosen = k;
  });
  if (chosen < 0) chosen = curve.indexOf(Math.max(...curve));
  return Math.min(0.9, Math.max(0.2, matched.marks[chosen]?.score ?? 0.5));
}
