import type { DesiredCameraAnswer } from '#grid/api/mod.ts';
import { errorRadiusOf, type FittedGround, fitGround } from '#grid/ground/mod.ts';

/** Calibration points while somebody sets them. */

export type Calibration = NonNullable<DesiredCameraAnswer['calibration']>;
export interface GroundPoint {
  /** Fractions of the picture. */
  x: number;
  y: number;
  /** Null until it is set on the map. */
  place: { lon: number; lat: number } | null;
}

/** What the points come to: the fit in the browser is the one of the edge, the same code. */
export interface Fit {
  fitted: FittedGround | null;
  /** Metres, by point; null where there is none yet. */
  residualsM: (number | null)[];
  /** Where the fit sees the farthest of the points: how far away, and how large the circle of an event there. */
  far: { distanceM: number; radiusM: number } | null;
}

export const POINTS_MIN = 4;
export const POINTS_MAX = 64;
/** One input pixel of the shipped model, fractions of the picture. */
const MODEL_PIXEL = { x: 1 / 512, y: 1 / 288 };
/** A centimetre. */
const DECIMALS = 7;

export function pointsOf(calibration: Calibration | null): GroundPoint[] {
  return (calibration?.points ?? []).map(({ x, y, lon, lat }) => ({ x, y, place: { lon, lat } }));
}

/** Null while a point has no place yet. */
export function calibrationOf(points: readonly GroundPoint[]): Calibration | null {
  const complete = points.flatMap(({ x, y, place }) => (place === null ? [] : [{ x, y, ...place }]));
  return complete.length === points.length ? { points: complete } : null;
}

export const roundedPlace = ({ lon, lat }: { lon: number; lat: number }) => ({
  lon: Number(lon.toFixed(DECIMALS)),
  lat: Number(lat.toFixed(DECIMALS)),
});

export function fitOf(camera: { lon: number; lat: number }, points: readonly GroundPoint[]): Fit {
  const placed = points.flatMap((p, i) => (p.place === null ? [] : [{ i, x: p.x, y: p.y, ...p.place }]));
  const none: Fit = { fitted: null, residualsM: points.map(() => null), far: null };
  if (placed.length < POINTS_MIN) return none;
  const fitted = fitGround({ ...camera, calibration: { points: placed.map(({ x, y, lon, lat }) => ({ x, y, lon, lat })) } });
  const residualsM = points.map((_, i) => finite(fitted.residualsM[placed.findIndex((p) => p.i === i)]));
  if (!fitted.ok) return { fitted, residualsM, far: null };
  const { ground } = fitted;
  const farthest = placed
    .map((p) => ({ p, distanceM: Math.hypot(...ground.toPoint(p)) }))
    .reduce((a, b) => (b.distanceM > a.distanceM ? b : a));
  const perPixelM = ground.stepM(farthest.p.x, farthest.p.y, MODEL_PIXEL.x, MODEL_PIXEL.y);
  return {
    fitted,
    residualsM,
    far: perPixelM === null ? null : { distanceM: farthest.distanceM, radiusM: errorRadiusOf(perPixelM) },
  };
}

const finite = (m: number | undefined): number | null => (m !== undefined && Number.isFinite(m) ? m : null);

const EDGE_STEPS = 12;
/** Where the ground ends in the picture is far away and means little on the map. */
const SEEN_M_MAX = 80;

/** What the camera sees of the ground, as a ring on the map: the picture's border, cut where it is too far. */
export function seenGround(fit: Fit): [number, number][] {
  if (fit.fitted?.ok !== true) return [];
  const { ground } = fit.fitted;
  const along = Array.from({ length: EDGE_STEPS + 1 }, (_, i) => i / EDGE_STEPS);
  const near = (x: number, y: number): boolean => {
    const point = ground.at(x, y);
    return point !== null && Math.hypot(...point) <= SEEN_M_MAX;
  };
  /** The highest row of this column that is near enough. */
  const top = (x: number): number => along.find((y) => near(x, y)) ?? 1;
  const border: [number, number][] = [...along.map((x): [number, number] => [x, top(x)]), [1, 1], [0, 1]];
  return border.flatMap(([x, y]): [number, number][] => {
    const point = ground.at(x, y);
    if (point === null) return [];
    const { lon, lat } = ground.toPosition(point);
    return [[lon, lat]];
  });
}
