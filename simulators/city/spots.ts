import { type IncidentClass, kerb, onPavement, type Street, type StreetPlace } from '../cameras/mod.ts';
import type { Dice } from '../cameras/street/mod.ts';
import { inPicture, type Rect, type StreetView } from './view.ts';

/** Where a thing of a class may come to stand before a camera. */
export interface Spot {
  place: StreetPlace;
  rect: Rect;
}

interface Terms {
  /** Over the ground from the camera's foot. */
  farM: readonly [number, number];
  /** Metres across the road. */
  across(street: Street, dice: Dice): number;
}

const side = (dice: Dice) => dice.pick([1, -1] as const);
const pavement = (from: number, to: number) => (street: Street, dice: Dice) =>
  onPavement(street, side(dice), dice.between(from, to));

/**
 * Distances at which a detector with an input of 320 pixels has something to go by: a cover lies flat, so it shrinks
 * with the square of the distance; a stall stands up.
 */
const TERMS: Readonly<Record<IncidentClass, Terms>> = {
  stall: { farM: [9, 16], across: pavement(0.3, 0.7) },
  garbage: { farM: [8.5, 13], across: pavement(0.2, 0.65) },
  ponding: { farM: [8.5, 18], across: (street, dice) => side(dice) * (street.roadWidthM / 2 - dice.between(1.4, 2.8)) },
  open_manhole: {
    farM: [8, 12.5],
    across: (street, dice) => dice.between(-0.5, 0.5) * (street.roadWidthM + street.pavementWidthM),
  },
  vehicle: { farM: [9.5, 18], across: (street, dice) => kerb(street, side(dice)) },
};
/** Parasols and awnings reach farther than what they stand on. */
const MARGIN_PX = 20;
/** Less of a thing is no fair test. */
const SIDE_PX_MIN = 11;
const AHEAD_M = [4, 22] as const;

/** One throw: a spot on `street` that the camera sees well and `accept` takes, or null. `looks` is the camera's direction along the road. */
export function throwSpot(
  view: StreetView,
  { street, looks }: { street: Street; looks: 1 | -1 },
  kind: IncidentClass,
  dice: Dice,
  accept: (place: StreetPlace) => boolean,
): Spot | null {
  const place = { alongM: looks * dice.between(...AHEAD_M), acrossM: TERMS[kind].across(street, dice) };
  return accept(place) ? spotAt(view, kind, place) : null;
}

/** The spot at a given place, or null when the camera does not see it well. */
export function spotAt(view: StreetView, kind: IncidentClass, place: StreetPlace): Spot | null {
  const [near, far] = TERMS[kind].farM;
  const distanceM = view.distanceM(place);
  if (distanceM < near || distanceM > far) return null;
  const rect = view.rectOf(kind, place);
  if (rect === null || !inPicture(view, rect, MARGIN_PX)) return null;
  return Math.min(rect[2] - rect[0], rect[3] - rect[1]) >= SIDE_PX_MIN ? { place, rect } : null;
}
