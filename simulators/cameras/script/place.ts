import type { Street } from '../scene.ts';

/** A place as people on the street would say it. */
export interface StreetPlace {
  /** Along the road's heading from the origin, metres. */
  alongM: number;
  /** Across, from the road's centre line, metres, positive to the right of the heading. */
  acrossM: number;
}

/** To the right of the road's heading, or to the left. */
export type Side = 1 | -1;

/** Street place to local ENU metres. */
export function toEnu(street: Street, { alongM, acrossM }: StreetPlace): { xM: number; yM: number } {
  const heading = (street.roadHeadingDeg * Math.PI) / 180;
  const [sin, cos] = [Math.sin(heading), Math.cos(heading)];
  const v = street.roadOffsetM + acrossM;
  return { xM: alongM * sin + v * cos, yM: alongM * cos - v * sin };
}

/** Local ENU metres to street place; the inverse of `toEnu`. */
export function toStreetPlace(street: Street, xM: number, yM: number): StreetPlace {
  const heading = (street.roadHeadingDeg * Math.PI) / 180;
  const [sin, cos] = [Math.sin(heading), Math.cos(heading)];
  return { alongM: xM * sin + yM * cos, acrossM: xM * cos - yM * sin - street.roadOffsetM };
}

export function sideOf(place: StreetPlace): Side {
  return place.acrossM >= 0 ? 1 : -1;
}

/** Across position on a pavement: 0 at the kerb, 1 at the house fronts. */
export function onPavement(street: Street, side: Side, share: number): number {
  return side * (street.roadWidthM / 2 + share * street.pavementWidthM);
}

/** Across position of cars that drive on (traffic keeps to the right), clear of those that park at the kerb. */
export function lane(street: Street, side: Side): number {
  return side * Math.max(1, Math.min(street.roadWidthM / 4, street.roadWidthM / 2 - 3.2));
}

/** Across position of a car that stands at the kerb. */
export function kerb(street: Street, side: Side): number {
  return side * (street.roadWidthM / 2 - 1.1);
}

/** Where traffic on that side of the road goes. */
export function trafficHeadingDeg(street: Street, side: Side): number {
  return (street.roadHeadingDeg + (side === 1 ? 0 : 180)) % 360;
}
