import type { Position } from '../place.ts';
import type { Calibration } from '../site/site.ts';
import { applyHomography, fitHomography } from './homography.ts';
import { adjugate3, type Homography } from './linear.ts';

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

/** Of each calibration point, metres from where the others say it is; or why they determine no ground, and which point is wrong. */
export type FittedGround =
  | { ok: true; ground: Ground; residualsM: number[] }
  | { ok: false; fault: string; point: number | null; residualsM: number[] };

/** The ground under a camera from its calibration points. */
export function fitGround(camera: { lon: number; lat: number; calibration: Calibration }): FittedGround {
  const metresPerLon = METRES_PER_DEGREE * Math.cos((camera.lat * Math.PI) / 180);
  const toPoint = (p: Position): GroundPoint => [(p.lon - camera.lon) * metresPerLon, (p.lat - camera.lat) * METRES_PER_DEGREE];
  const toPosition = ([e, n]: GroundPoint): Position => ({
    lon: camera.lon + e / metresPerLon,
    lat: camera.lat + n / METRES_PER_DEGREE,
  });
  const pairs = camera.calibration.points.map((p) => ({ from: [p.x, p.y] as const, to: toPoint(p) }));
  const h = fitHomography(pairs);
  if (h === null) return { ok: false, fault: 'the points do not determine the ground', point: null, residualsM: [] };
  const at = mapper(h, pairs);
  const residualsM = pairs.map(({ from, to }) => {
    const got = at(...from);
    return got === null ? Number.POSITIVE_INFINITY : between(got, to);
  });
  const wrong = residualsM.findIndex((missM) => missM > RESIDUAL_M_MAX);
  if (wrong >= 0) {
    const fault = `point ${wrong + 1} is ${(residualsM[wrong] as number).toFixed(1)} m off the others`;
    return { ok: false, fault, point: wrong, residualsM };
  }
  const step: Ground['stepM'] = (x, y, dx, dy) => stepM(at, x, y, dx, dy);
  return { ok: true, ground: { at, stepM: step, pixelOf: inverse(h, pairs), toPosition, toPoint }, residualsM };
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
