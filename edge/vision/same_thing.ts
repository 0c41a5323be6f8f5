import { shareInside } from '#models/mod.ts';
import { isSamePlace } from './incident.ts';
import type { Observed } from './tracker.ts';

/** A box lies within another one when so much of it does. */
const INSIDE_SHARE_MIN = 0.9;

/**
 * Of two detections of one class of which one lies within the other, at the same place on the ground, the surer one: a car at night
 * is found by its headlights and by its body, a stall by its goods and as a whole. Suppression of boxes leaves both, because they
 * have too little in common for their size.
 *
 * The ground tells them from a thing that stands behind another: that is seen within the other's box too, metres further away. What
 * is nowhere on the ground is left as it is.
 */
export function oneOfEachThing(observed: readonly Observed[]): Observed[] {
  const kept: Observed[] = [];
  for (const one of [...observed].sort((a, b) => b.score - a.score))
    if (!kept.some((other) => isSameThing(one, other))) kept.push(one);
  return kept;
}

function isSameThing(a: Observed, b: Observed): boolean {
  if (a.class !== b.class || a.point === null || b.point === null) return false;
  const within = Math.max(shareInside(a.box, b.box), shareInside(b.box, a.box));
  return within >= INSIDE_SHARE_MIN && isSamePlace({ ...a, point: a.point }, { ...b, point: b.point });
}
