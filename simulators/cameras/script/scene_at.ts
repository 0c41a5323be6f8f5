import type { SceneObject } from '../scene.ts';
import type { Actor, StreetScript, Waypoint } from './actor.ts';
import { OBJECT_SIZES, type ObjectSize } from './sizes.ts';

/** Less of a growing thing is not drawn smaller: there would be nothing to see. */
const GROWN_MIN = 0.1;

/** Of its length and width, a stall that comes packed has so much; it has all of them after so many steps. */
const PACKED_SHARE = 0.6;
const UNPACK_STEPS = 3;

interface Stance {
  xM: number;
  yM: number;
  headingDeg: number;
}

/** Everything that is on the street at `tMs` of the script, in the script's order. Pure. */
export function sceneAt(script: StreetScript, tMs: number): SceneObject[] {
  const objects: SceneObject[] = [];
  for (const actor of script.actors) {
    const stance = stanceAt(actor, tMs);
    if (stance === null) continue;
    const { kind, seed, ...own } = actor.object;
    // Whoever drives or has just stopped has his lamps on, who parks has not.
    const lamps = kind === 'vehicle' && 'path' in actor;
    const grown = grownAt(actor, tMs);
    const size = { ...OBJECT_SIZES[kind], ...own };
    objects.push({ id: actor.id, kind, seed, ...(kind === 'stall' ? unpacked(size, grown) : size), ...stance, grown, lamps });
  }
  return objects;
}

/** A stall that is unpacked gets longer and wider, step by step. */
function unpacked(size: ObjectSize, grown: number): ObjectSize {
  const steps = grown >= 1 ? UNPACK_STEPS : Math.floor(grown * UNPACK_STEPS);
  const share = PACKED_SHARE + ((1 - PACKED_SHARE) * steps) / UNPACK_STEPS;
  return { ...size, lengthM: size.lengthM * share, widthM: size.widthM * share };
}

/** Where an actor is and how it is turned, or null while it is not on the street. */
export function stanceAt(actor: Actor, tMs: number): Stance | null {
  if ('path' in actor) return onPath(actor.path, tMs);
  const { xM, yM, headingDeg, fromMs, toMs = Number.POSITIVE_INFINITY } = actor.stay;
  return tMs >= fromMs && tMs < toMs ? { xM, yM, headingDeg } : null;
}

function grownAt(actor: Actor, tMs: number): number {
  if (actor.grows === undefined) return 1;
  const { fromMs, toMs } = actor.grows;
  if (tMs >= toMs) return 1;
  return Math.max(GROWN_MIN, (tMs - fromMs) / (toMs - fromMs));
}

function onPath(path: readonly Waypoint[], tMs: number): Stance | null {
  const next = path.findIndex((w) => w.atMs > tMs);
  if (next <= 0) return null;
  const from = path[next - 1] as Waypoint;
  const to = path[next] as Waypoint;
  const share = (tMs - from.atMs) / (to.atMs - from.atMs);
  return {
    xM: from.xM + (to.xM - from.xM) * share,
    yM: from.yM + (to.yM - from.yM) * share,
    headingDeg: headingOn(path, next, share),
  };
}

function headingOn(path: readonly Waypoint[], next: number, share: number): number {
  const from = path[next - 1] as Waypoint;
  const to = path[next] as Waypoint;
  if (from.headingDeg !== undefined && to.headingDeg !== undefined) {
    const turn = ((to.headingDeg - from.headingDeg + 540) % 360) - 180;
    return (from.headingDeg + turn * share + 360) % 360;
  }
  // What stands keeps the direction it came with, or has the one it will leave with.
  const moving = [...path.keys()].filter((i) => i > 0 && distance(path[i - 1] as Waypoint, path[i] as Waypoint) > 0);
  const leg = moving.findLast((i) => i <= next) ?? moving[0];
  return leg === undefined ? (from.headingDeg ?? 0) : bearing(path[leg - 1] as Waypoint, path[leg] as Waypoint);
}

function distance(a: Waypoint, b: Waypoint): number {
  return Math.hypot(b.xM - a.xM, b.yM - a.yM);
}

function bearing(a: Waypoint, b: Waypoint): number {
  return ((Math.atan2(b.xM - a.xM, b.yM - a.yM) * 180) / Math.PI + 360) % 360;
}
