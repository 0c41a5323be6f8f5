import { type Crossing, inPolygon, type Zone } from '#grid/mod.ts';
import type { Standing } from './incident.ts';
import type { Pixel } from './placement.ts';

/** Where the tracks of one camera touched the ground in the picture before. */
export class Footsteps {
  #before = new Map<string, Pixel>();
  #now = new Map<string, Pixel>();

  /** To be called once a picture, before `crossed`. */
  step(tracks: readonly Standing[]): void {
    // One that is hidden for a moment goes on from where it was.
    this.#before = new Map([...this.#before, ...this.#now]);
    this.#now = new Map(tracks.map((t) => [t.id, t.foot]));
  }

  /** Tracks that are no more. */
  forget(live: ReadonlySet<string>): void {
    for (const id of this.#before.keys()) if (!live.has(id)) this.#before.delete(id);
  }

  /** Whether the thing has gone over the line with this picture, inside the zone. */
  crossed({ id }: Standing, { line: [from, to], way }: Crossing, zone: Zone): boolean {
    const [before, now] = [this.#before.get(id), this.#now.get(id)];
    if (before === undefined || now === undefined) return false;
    const at = meeting(before, now, from, to);
    if (at === null || !inPolygon(at[0], at[1], zone.polygon)) return false;
    // The picture's y grows downwards: positive is to the right of who looks along the line.
    return way === 'any' || sideOf(now, from, to) > 0 === (way === 'to-the-right');
  }
}

/** Twice the area of the triangle; its sign is the side of the line on which the point lies. */
function sideOf(p: Pixel, from: Pixel, to: Pixel): number {
  return (to[0] - from[0]) * (p[1] - from[1]) - (to[1] - from[1]) * (p[0] - from[0]);
}

/** Where two stretches meet, or null. What lies on a line counts as left of it, so that one way over it is counted once. */
function meeting(a: Pixel, b: Pixel, from: Pixel, to: Pixel): Pixel | null {
  const [sa, sb] = [sideOf(a, from, to), sideOf(b, from, to)];
  if (sa > 0 === sb > 0 || sideOf(from, a, b) > 0 === sideOf(to, a, b) > 0) return null;
  const share = sa / (sa - sb);
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
}
