import type { Position } from '../place.ts';
import type { Calibration } from '../site/site.ts';
import { applyHomography, fitHomography } from './homography.ts';
import { adjugate3, determinant3, type Homography } from './linear.ts';

/** Metres of one degree of latitude on the WGS-84 equator's circle; good to 0.5 % over a site. */
const METRES_PER_DEGREE = 111_319.49;
/** Farther from the camera than this the ground is not looked at. */
const RANGE_M_MAX = 500;
/** Calibration points may miss the fitted map by so much; more means that one of them is wrong. */
const RESIDUAL_M_MAX = 5;

/** East and north metres from the camera's foot. */
export type GroundPoint = readonly [eastM: number, northM: number];

/** Where pixels of one camera lie on the ground. Pictures are in fractions of width and height. */
export interface Ground {
  /** Null at or above the horizon and beyond RANGE_M_MAX. The camera's foot is [0, 0]. */
  at(x: number, y: number): GroundPoint | null;
  /** Metres that a step of `[dx, dy]` (fractions of the picture) at most means there; null where `at` is. */
  stepM(x: number, y: number, dx: number, dy: number): number | null;
  /** The other way round; null behind the camera. */
  pixelOf(point: GroundPoint): readonly [x: number, y: number] | null;
  toPosition(point: GroundPoint): Position;
  toPoint(position: Position): GroundPoint;
}

/** A detector places an edge of a box to about so many of its own input pixels (95 % of 300 drawn scenes). */
const EDGE_ERROR_PX = 4;
/** Calibration and the thing's unknown depth. */
const BASE_ERROR_M = 1;
const ERROR_M_MIN = 0.5;
const ERROR_M_MAX = 50;

/**
 * Radius, metres, within which a thing lies (about 95 %) where one input pixel of the model means `perPixelM` on the ground:
 * 1 m + four pixels + what the caller knows besides, within [0.5, 50].
 */
export function errorRadiusOf(perPixelM: number, besidesM = 0): number {
  return Math.min(ERROR_M_MAX, Math.max(ERROR_M_MIN, BASE_ERROR_M + besidesM + EDGE_ERROR_PX * perPixelM));
}

/** Of each calibration point, metres from where the fit of all puts it; or why they determine no ground, and which point is wrong. */
export type FittedGround =
  | { ok: true; ground: Ground; residualsM: number[] }
  | { ok: false; fault: string; point: number | null; residualsM: number[] };

const MEASURE_AGAIN = 'measure four or more on the ground, spread over the picture, no three in a line';

/**
 * The ground under a camera from its calibration points. Four points always fit exactly: from the fifth on the residuals say
 * how well they were measured.
 */
export function fitGround(camera: { lon: number; lat: number; calibration: Calibration }): FittedGround {
  const metresPerLon = METRES_PER_DEGREE * Math.cos((camera.lat * Math.PI) / 180);
  const toPoint = (p: Position): GroundPoint => [(p.lon - camera.lon) * metresPerLon, (p.lat - camera.lat) * METRES_PER_DEGREE];
  const toPosition = ([e, n]: GroundPoint): Position => ({
    lon: camera.lon + e / metresPerLon,
    lat: camera.lat + n / METRES_PER_DEGREE,
  });
  const pairs = camera.calibration.points.map((p) => ({ from: [p.x, p.y] as const, to: toPoint(p) }));
  const fit = fitted(pairs);
  if (fit === null)
    return { ok: false, fault: `the points do not determine the ground: ${MEASURE_AGAIN}`, point: null, residualsM: [] };
  const { h, at, residualsM } = fit;
  const fault = faultOf(pairs, fit);
  if (fault !== null) return { ok: false, ...fault, residualsM };
  const step: Ground['stepM'] = (x, y, dx, dy) => stepM(at, x, y, dx, dy);
  return { ok: true, ground: { at, stepM: step, pixelOf: inverse(h, pairs), toPosition, toPoint }, residualsM };
}

type Pair = { from: readonly [number, number]; to: GroundPoint };
type Fit = { h: Homography; at: Ground['at']; residualsM: number[] };

function fitted(pairs: readonly Pair[]): Fit | null {
  const h = fitHomography(pairs);
  if (h === null) return null;
  const at = mapper(h, pairs);
  return { h, at, residualsM: pairs.map((pair) => missM(at, pair)) };
}

const missM = (at: Ground['at'], { from, to }: Pair): number => {
  const got = at(...from);
  return got === null ? Number.POSITIVE_INFINITY : between(got, to);
};

function faultOf(pairs: readonly Pair[], { h, residualsM }: Fit): { fault: string; point: number | null } | null {
  if (residualsM.some((m) => m > RESIDUAL_M_MAX)) {
    const wrong = wrongPoint(pairs);
    if (wrong === null)
      return { fault: `the points contradict each other: two may be swapped; else ${MEASURE_AGAIN}`, point: null };
    const far = wrong.farM === Number.POSITIVE_INFINITY ? 'above the horizon that' : `${wrong.farM.toFixed(1)} m off where`;
    return { fault: `point ${wrong.point + 1} is ${far} the others give: measure it again`, point: wrong.point };
  }
  // Seen from above, a picture of the ground is never a mirror image: the map turns the picture's hands over (its y grows downwards).
  const [, , w] = applyHomography(h, ...(pairs[0] as Pair).from);
  if (determinant3(h) / w ** 3 > 0)
    return { fault: 'the points show a mirror image: left and right ones are swapped', point: null };
  return null;
}

/** The point without which all others agree, and how far it is from where they put it. Of four points nobody can tell. */
function wrongPoint(pairs: readonly Pair[]): { point: number; farM: number } | null {
  for (const [point, pair] of pairs.entries()) {
    const others = pairs.length > 4 ? fitted(pairs.filter((p) => p !== pair)) : null;
    if (others?.residualsM.every((m) => m <= RESIDUAL_M_MAX)) return { point, farM: missM(others.at, pair) };
  }
  return null;
}

const between = (a: GroundPoint, b: GroundPoint): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

function mapper(h: Homography, pairs: readonly { from: readonly [number, number] }[]): Ground['at'] {
  // The calibration points are before the camera: the sign of w there tells ground from sky.
  const sign = Math.sign(pairs.reduce((sum, p) => sum + applyHomography(h, ...p.from)[2], 0));
  return (x, y) => {
    const [e, n, w] = applyHomography(h, x, y);
    if (w * sign <= 1e-12) return null;
    const point: GroundPoint = [e / w, n / w];
    return Math.hypot(...point) <= RANGE_M_MAX ? point : null;
  };
}

function inverse(h: Homography, pairs: readonly { to: GroundPoint }[]): Ground['pixelOf'] {
  const back = adjugate3(h);
  const sign = Math.sign(pairs.reduce((sum, p) => sum + applyHomography(back, ...p.to)[2], 0));
  return (point) => {
    const [x, y, w] = applyHomography(back, ...point);
    return w * sign <= 1e-12 ? null : [x / w, y / w];
  };
}

function stepM(at: Ground['at'], x: number, y: number, dx: number, dy: number): number | null {
  const here = at(x, y);
  if (here === null) return null;
  // Downwards and inwards first: the other way the step may leave the ground.
  const steps = [at(x, y + dy) ?? at(x, y - dy), at(x + dx, y) ?? at(x - dx, y)];
  return Math.max(...steps.map((p) => (p === null ? RANGE_M_MAX : between(p, here))));
}
