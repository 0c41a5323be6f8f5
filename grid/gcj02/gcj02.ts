import type { Position } from '../place.ts';

/** Of the ellipsoid of Krasovsky, on which the shift is reckoned: half axis in metres, first eccentricity squared. */
const AXIS_M = 6_378_245;
const ECCENTRICITY_2 = 0.006693421622965943;
/** The offset is that of a point so far to the south-west. */
const ORIGIN = { lon: 105, lat: 35 };
/** Outside of it nothing is shifted. */
const BOX = { west: 72.004, east: 137.8347, south: 0.8293, north: 55.8271 };
/** Each step leaves less than a hundredth of what was wrong. */
const STEPS_MAX = 10;
const CLOSE_DEGREES = 1e-10;

/**
 * GCJ-02, the coordinates of public maps in mainland China, from WGS-84. The rule is not published officially; this is the form that
 * everybody uses, which agrees with what maps show to about a metre. Nothing of ours is stored in it.
 */
export function toGcj02({ lon, lat }: Position): Position {
  const shift = shiftAt({ lon, lat });
  return { lon: lon + shift.lon, lat: lat + shift.lat };
}

/** WGS-84 from GCJ-02, within 1e-9 degrees of what `toGcj02` makes of it: by iteration, for the shift changes slowly. */
export function fromGcj02(shifted: Position): Position {
  let point = shifted;
  for (let step = 0; step < STEPS_MAX; step++) {
    const { lon, lat } = toGcj02(point);
    const [east, north] = [shifted.lon - lon, shifted.lat - lat];
    point = { lon: point.lon + east, lat: point.lat + north };
    if (Math.abs(east) < CLOSE_DEGREES && Math.abs(north) < CLOSE_DEGREES) break;
  }
  return point;
}

/** Degrees to be added to a point of WGS-84. */
function shiftAt({ lon, lat }: Position): Position {
  if (lon < BOX.west || lon > BOX.east || lat < BOX.south || lat > BOX.north) return { lon: 0, lat: 0 };
  const [x, y] = [lon - ORIGIN.lon, lat - ORIGIN.lat];
  const root = Math.sqrt(Math.abs(x));
  const ripple = wave(20, 6 * x) + wave(20, 2 * x);
  const northM = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + (2 / 3) * (ripple + northWaves(y));
  const eastM = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + (2 / 3) * (ripple + eastWaves(x));
  const phi = (lat * Math.PI) / 180;
  const w2 = 1 - ECCENTRICITY_2 * Math.sin(phi) ** 2;
  const meridianM = (AXIS_M * (1 - ECCENTRICITY_2)) / w2 ** 1.5;
  const parallelM = (AXIS_M / Math.sqrt(w2)) * Math.cos(phi);
  return { lon: degrees(eastM / parallelM), lat: degrees(northM / meridianM) };
}

const northWaves = (y: number) => wave(20, y) + wave(40, y / 3) + wave(160, y / 12) + wave(320, y / 30);
const eastWaves = (x: number) => wave(20, x) + wave(40, x / 3) + wave(150, x / 12) + wave(300, x / 30);
/** Metres: so high, with so many half waves. */
const wave = (heightM: number, halves: number) => heightM * Math.sin(halves * Math.PI);
const degrees = (radians: number) => (radians * 180) / Math.PI;
