import type { Position } from './place.ts';

/** Mean radius of the earth, metres (IUGG). */
const EARTH_RADIUS_M = 6_371_008.8;
const RADIANS = Math.PI / 180;
/** Metres of one degree of latitude on that sphere. */
export const DEGREE_M = EARTH_RADIUS_M * RADIANS;

/** Great-circle distance, metres (haversine): exact enough for neighbours, and safe at the date line. */
export function distanceM(a: Position, b: Position): number {
  const dLat = (b.lat - a.lat) * RADIANS;
  const dLon = (b.lon - a.lon) * RADIANS;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * RADIANS) * Math.cos(b.lat * RADIANS) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Metres east and north of an origin. */
export interface Local {
  xM: number;
  yM: number;
}

/**
 * Local plane around an origin (equirectangular). Within 2 km of it the error stays under a few centimetres,
 * far below what a camera or a survey can tell.
 */
export interface LocalPlane {
  toLocal(p: Position): Local;
  toPosition(l: Local): Position;
}

export function localPlane(origin: Position): LocalPlane {
  const metresPerLon = DEGREE_M * Math.cos(origin.lat * RADIANS);
  return {
    toLocal: (p) => ({ xM: (p.lon - origin.lon) * metresPerLon, yM: (p.lat - origin.lat) * DEGREE_M }),
    toPosition: (l) => ({ lon: origin.lon + l.xM / metresPerLon, lat: origin.lat + l.yM / DEGREE_M }),
  };
}

type Ring = readonly (readonly [number, number])[];

/** Is the point inside the ring? Even-odd rule; a ring may repeat its first corner at the end. Points on the edge go either way. */
export function inPolygon(x: number, y: number, ring: Ring): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i] as readonly [number, number];
    const [xj, yj] = ring[j] as readonly [number, number];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Area of a ring of [lon, lat], square metres (shoelace on the local plane). */
export function areaM2(ring: Ring): number {
  const first = ring[0];
  if (first === undefined) return 0;
  const plane = localPlane({ lon: first[0], lat: first[1] });
  const corners = ring.map(([lon, lat]) => plane.toLocal({ lon, lat }));
  let twice = 0;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const a = corners[j] as Local;
    const b = corners[i] as Local;
    twice += a.xM * b.yM - b.xM * a.yM;
  }
  return Math.abs(twice) / 2;
}

/** Distance from a point to the nearest side of a ring of [lon, lat], metres. */
export function distanceToRingM(p: Position, ring: Ring): number {
  const plane = localPlane(p);
  const corners = ring.map(([lon, lat]) => plane.toLocal({ lon, lat }));
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++)
    nearest = Math.min(nearest, originToSegmentM(corners[j] as Local, corners[i] as Local));
  return nearest;
}

function originToSegmentM(a: Local, b: Local): number {
  const dx = b.xM - a.xM;
  const dy = b.yM - a.yM;
  const length2 = dx * dx + dy * dy;
  const t = length2 === 0 ? 0 : Math.max(0, Math.min(1, -(a.xM * dx + a.yM * dy) / length2));
  return Math.hypot(a.xM + t * dx, a.yM + t * dy);
}
