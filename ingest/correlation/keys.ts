import { DEGREE_M, type Place } from '#grid/mod.ts';
import type { Lock } from '../database/mod.ts';

/**
 * Keys under which a case is found by the events that may join it, and which such an event locks meanwhile:
 * the component, and every coarse square that the error circle touches. Two circles that overlap share a point,
 * so they share a square: no candidate is missed, and no two events of one neighbourhood decide at the same time.
 *
 *   c:2102830101000001    g:2464:2433 g:2464:2434    g:*  (a circle over too many squares)
 *
 * A case of a component keeps its squares under `k:` instead of `g:`. Two components are never one case, so an event of a
 * component looks past those: a street full of open covers costs it nothing.
 */
const SQUARE_DEG = 0.005;
/** A circle over more squares than this is filed under `g:*` and locks its whole class: 16 squares are about 2 km across. */
const SQUARES_MAX = 16;
const WIDE_KEY = 'g:*';
const COLUMNS = Math.round(360 / SQUARE_DEG);

/** The keys of a place; never empty. */
export function placeKeys(place: Place): string[] {
  const squares = squaresOf(place) ?? [WIDE_KEY];
  return place.component === undefined ? squares : [`c:${place.component}`, ...squares];
}

/** Under which a case is kept. */
export function caseKeys(place: Place): string[] {
  return place.component === undefined ? placeKeys(place) : placeKeys(place).map(ofComponents);
}

/** Under which an event looks for the cases that it may join; null: among all of the class. */
export function candidateKeys(place: Place): string[] | null {
  const keys = placeKeys(place);
  if (isWide(keys)) return null;
  const all = [...keys, WIDE_KEY];
  return place.component === undefined ? [...all, ...all.map(ofComponents)] : all;
}

const ofComponents = (key: string) => key.replace(/^g:/, 'k:');

/** Whether a place is found by its squares, or only by a look at the whole class. */
export function isWide(keys: readonly string[]): boolean {
  return keys.includes(WIDE_KEY);
}

/**
 * What an event locks before it looks for its case. Everybody shares the class; who cannot name his squares takes
 * the class for himself.
 */
export function joinLocks(classKey: string, keys: readonly string[]): Lock[] {
  if (isWide(keys)) return [{ name: `join:${classKey}`, mode: 'exclusive' }];
  return [
    { name: `join:${classKey}`, mode: 'shared' },
    ...keys.map((key): Lock => ({ name: `join:${classKey}:${key}`, mode: 'exclusive' })),
  ];
}

function squaresOf({ lon, lat, errorRadiusM }: Place): string[] | null {
  const dLat = errorRadiusM / DEGREE_M;
  // The widest parallel that the circle reaches decides; near a pole it would be all of them.
  const shrink = Math.cos(Math.min(Math.abs(lat) + dLat, 90) * (Math.PI / 180));
  if (shrink < 0.01) return null;
  const dLon = dLat / shrink;
  const south = Math.floor((lat - dLat + 90) / SQUARE_DEG);
  const north = Math.floor((lat + dLat + 90) / SQUARE_DEG);
  const west = Math.floor((lon - dLon + 180) / SQUARE_DEG);
  const east = Math.floor((lon + dLon + 180) / SQUARE_DEG);
  if ((north - south + 1) * (east - west + 1) > SQUARES_MAX) return null;
  const keys: string[] = [];
  for (let y = south; y <= north; y++)
    for (let x = west; x <= east; x++) keys.push(`g:${(((x % COLUMNS) + COLUMNS) % COLUMNS).toString()}:${y}`);
  return keys;
}
