import type { Position } from '#grid/mod.ts';

/** Mean radius of the earth, metres (IUGG R1). */
export const EARTH_RADIUS_M = 6_371_008.8;
/** Metres of one degree of latitude on that sphere. */
export const DEGREE_M = (Math.PI / 180) * EARTH_RADIUS_M;

/** Great-circle distance in metres, haversine: exact enough for neighbours, and safe at the date line. */
export function distanceM(a: Position, b: Position): number {
  const rad = Math.PI / 180;
  const dLat = (b.lat - a.lat) * rad;
  const dLon = (b.lon - a.lon) * rad;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}
