import { inPolygon, type Zone, type ZoneRule } from '#grid/mod.ts';
import type { Pixel } from './placement.ts';
import type { Track } from './tracker.ts';

/** What a rule waits for: a thing that stands there, one that goes over a line, or many. */
export function kindOf({ crosses, count }: ZoneRule): 'stands' | 'crosses' | 'counts' {
  if (crosses !== undefined) return 'crosses';
  return count === undefined ? 'stands' : 'counts';
}

export function raisesSame({ raises: a }: ZoneRule, { raises: b }: ZoneRule): boolean {
  return 'event' in a ? 'event' in b && a.event === b.event : 'fault' in b && a.fault === b.fault;
}

export function isLarge({ box: [left, top, right, bottom] }: Pick<Track, 'box'>, { areaMin = 0 }: ZoneRule): boolean {
  return (right - left) * (bottom - top) >= areaMin;
}

/** Whether a thing with its foot there stands inside; fractions of the picture. */
export function standsIn(polygon: Zone['polygon'], foot: Pixel): boolean {
  // A box that is cut off by the picture's edge stands in a polygon that reaches to it.
  const [x, y] = foot.map((v) => Math.min(1 - 1e-6, Math.max(1e-6, v))) as [number, number];
  return inPolygon(x, y, polygon);
}
