import { determinant3, eigenSymmetric, type Homography, multiply3 } from './linear.ts';

export interface PointPair {
  from: readonly [number, number];
  to: readonly [number, number];
}

/** Of the normalised map with unit norm; real views have 1e-2 and more. */
const DETERMINANT_MIN = 1e-5;

/**
 * The projective map that takes `from` to `to`, least squares over all pairs: normalised direct linear transform
 * (Hartley and Zisserman, Multiple View Geometry, algorithm 4.2). Null when the points do not determine one:
 * fewer than four, or three of four in a line.
 */
export function fitHomography(pairs: readonly PointPair[]): Homography | null {
  if (pairs.length < 4) return null;
  const source = normaliser(pairs.map((p) => p.from));
  const target = normaliser(pairs.map((p) => p.to));
  if (source === null || target === null) return null;
  const ata = Array.from({ length: 9 }, () => new Array<number>(9).fill(0));
  for (const { from, to } of pairs) {
    const [x, y] = source.apply(from);
    const [u, v] = target.apply(to);
    addOuter(ata, [-x, -y, -1, 0, 0, 0, u * x, u * y, u]);
    addOuter(ata, [0, 0, 0, -x, -y, -1, v * x, v * y, v]);
  }
  const { values, vectors } = eigenSymmetric(ata);
  // A second vanishing eigenvalue means that more than one map fits.
  if ((values[1] as number) < 1e-9 * (values[8] as number)) return null;
  // One that flattens the picture to a line fits points on a line exactly, and is no view of the ground.
  if (Math.abs(determinant3(vectors[0] as unknown as Homography)) < DETERMINANT_MIN) return null;
  const h = multiply3(target.inverse, multiply3(vectors[0] as unknown as Homography, source.matrix));
  return h.every(Number.isFinite) ? h : null;
}

/** `[x, y, w]` of the mapped point, not yet divided by w. */
export function applyHomography(h: Homography, x: number, y: number): [number, number, number] {
  return [h[0] * x + h[1] * y + h[2], h[3] * x + h[4] * y + h[5], h[6] * x + h[7] * y + h[8]];
}

function addOuter(sum: number[][], row: readonly number[]): void {
  for (let i = 0; i < 9; i++) {
    const line = sum[i] as number[];
    for (let j = 0; j < 9; j++) line[j] = (line[j] as number) + (row[i] as number) * (row[j] as number);
  }
}

interface Normaliser {
  matrix: Homography;
  inverse: Homography;
  apply(p: readonly [number, number]): [number, number];
}

/** Moves the points' centre to the origin and their mean distance to sqrt 2. */
function normaliser(points: readonly (readonly [number, number])[]): Normaliser | null {
  const n = points.length;
  const cx = points.reduce((sum, p) => sum + p[0], 0) / n;
  const cy = points.reduce((sum, p) => sum + p[1], 0) / n;
  const spread = points.reduce((sum, p) => sum + Math.hypot(p[0] - cx, p[1] - cy), 0) / n;
  if (!(spread > 1e-9)) return null;
  const s = Math.SQRT2 / spread;
  return {
    matrix: [s, 0, -s * cx, 0, s, -s * cy, 0, 0, 1],
    inverse: [1 / s, 0, cx, 0, 1 / s, cy, 0, 0, 1],
    apply: (p) => [s * (p[0] - cx), s * (p[1] - cy)],
  };
}
