import type { Box } from '#models/mod.ts';
import type { Look } from './looks.ts';

/** What masks rest on; the times of looks and clip by one clock. */
export type Glance = Omit<Look, 'at'>;

/** What may be shown of one picture of a clip: the event's box less the people; null: nothing of it. */
export interface Showing {
  keep: Box;
  people: Box[];
}

/** The thing was seen on both sides within this, or nothing is shown: nobody looked in between. */
const UNSEEN_MS_MAX = 3_000;
/** A picture of the clip and a look at the same moment may be so far apart: decoding, two streams of one camera. */
const SKEW_MS = 300;
/** Around people, in their heights: at the moment of the look, and for each second away from it. A runner does 4 m/s, a person is 1.7 m. */
const MARGIN_HEIGHTS = 0.12;
const GROWTH_HEIGHTS_PER_S = 2.4;
/** For looks further away than the neighbours: who was missed by one of these is someone who stands or strolls. */
const GROWTH_FAR_HEIGHTS_PER_S = 0.4;
const FAR_LOOKS = 1;

/**
 * What a clip may show at a moment (monotonic ms) of the incident `thing`, by the looks around it. The thing's box lies
 * between those of the looks before and after; where these differ, only what both hold is shown. Every person of the
 * looks around is covered, with a margin that grows with the time between. In doubt nothing is shown.
 */
export function showingAt(looks: readonly Glance[], thing: object, ms: number): Showing | null {
  const next = looks.findIndex((look) => look.ms >= ms);
  // After the last look nobody has looked.
  if (next < 0) return null;
  const exact = (looks[next] as Glance).ms === ms;
  const [before, after] = [looks[exact ? next : next - 1], looks[next] as Glance];
  if (before === undefined || after.ms - before.ms > UNSEEN_MS_MAX) return null;
  const keep = common(
    nearestBox(looks.slice(0, next + Number(exact)).reverse(), thing, ms),
    nearestBox(looks.slice(next), thing, ms),
  );
  if (keep === null) return null;
  const around = looks.slice(Math.max(0, next - 1 - FAR_LOOKS), next + 1 + FAR_LOOKS);
  const people = around.flatMap((look) => {
    const neighbour = look === before || look === after;
    const seconds = (Math.abs(look.ms - ms) + SKEW_MS) / 1000;
    const growth = MARGIN_HEIGHTS + seconds * (neighbour ? GROWTH_HEIGHTS_PER_S : GROWTH_FAR_HEIGHTS_PER_S);
    return look.people.map((box) => grown(box, growth));
  });
  return { keep, people };
}

/** The box of the thing in the first of the looks that shows it, if that is near enough in time. */
function nearestBox(looks: readonly Glance[], thing: object, ms: number): Box | null {
  const seen = looks.find((look) => look.things.has(thing));
  return seen !== undefined && Math.abs(seen.ms - ms) <= UNSEEN_MS_MAX ? (seen.things.get(thing) as Box) : null;
}

/** What lies in both; null when nothing does. */
function common(a: Box | null, b: Box | null): Box | null {
  if (a === null || b === null) return null;
  const box: Box = [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
  return box[0] < box[2] && box[1] < box[3] ? box : null;
}

/** By a share of its height on every side. The same fraction is more pixels sideways in a wide picture: that is where people walk. */
function grown([left, top, right, bottom]: Box, heights: number): Box {
  const dy = (bottom - top) * heights;
  return [left - dy, top - dy, right + dy, bottom + dy];
}
