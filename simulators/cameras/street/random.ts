import type { CameraPose, Light, ObjectKind, Scene, SceneObject, Street } from '../scene.ts';
import { type Camera, cameraOf, toWgs84 } from './camera.ts';
import { type Dice, diceOf } from './seed.ts';

/** A street and a camera that looks at it. */
export interface RandomView {
  street: Street;
  pose: CameraPose;
}

interface Placement {
  /** Share of all placed things. */
  weight: number;
  /** Where it may stand, and how far from the lens, metres. */
  on: 'road' | 'pavement' | 'any';
  farM: readonly [number, number];
  lengthM: readonly [number, number];
  widthM: readonly [number, number];
  heightM: readonly [number, number];
}

/** Sizes as on the street; small flat things only where a camera can resolve them. */
const PLACEMENTS: Readonly<Record<ObjectKind, Placement>> = {
  stall: { weight: 16, on: 'any', farM: [6, 32], lengthM: [1.5, 2.8], widthM: [0.9, 1.5], heightM: [0.9, 2.6] },
  garbage: { weight: 15, on: 'any', farM: [6, 30], lengthM: [1, 3], widthM: [0.8, 2.2], heightM: [0.5, 1.1] },
  ponding: { weight: 13, on: 'any', farM: [6, 32], lengthM: [1.5, 7], widthM: [1.2, 4.5], heightM: [0, 0] },
  open_manhole: { weight: 12, on: 'any', farM: [6, 22], lengthM: [0.65, 0.9], widthM: [0, 0], heightM: [0, 0] },
  vehicle: { weight: 15, on: 'road', farM: [6, 35], lengthM: [4, 5.2], widthM: [1.7, 2], heightM: [1.4, 2.2] },
  person: { weight: 17, on: 'any', farM: [5, 28], lengthM: [0.4, 0.4], widthM: [0.5, 0.5], heightM: [1.5, 1.85] },
  closed_manhole: { weight: 6, on: 'any', farM: [6, 24], lengthM: [0.65, 0.9], widthM: [0, 0], heightM: [0, 0] },
  bin: { weight: 4, on: 'pavement', farM: [6, 28], lengthM: [0.45, 1], widthM: [0.4, 0.6], heightM: [0.8, 1.2] },
  wet_patch: { weight: 5, on: 'any', farM: [6, 30], lengthM: [1.5, 6], widthM: [1, 4], heightM: [0, 0] },
  bollard: { weight: 3, on: 'pavement', farM: [6, 28], lengthM: [0.15, 0.25], widthM: [0.15, 0.25], heightM: [0.6, 0.95] },
  planter: { weight: 4, on: 'pavement', farM: [6, 30], lengthM: [0.8, 2.2], widthM: [0.5, 0.9], heightM: [0.6, 1.1] },
  bench: { weight: 3, on: 'pavement', farM: [6, 28], lengthM: [1.4, 1.8], widthM: [0.4, 0.5], heightM: [0.85, 0.85] },
  parasol: { weight: 4, on: 'pavement', farM: [6, 28], lengthM: [2, 3], widthM: [2, 3], heightM: [2.1, 2.6] },
  terrace: { weight: 4, on: 'pavement', farM: [6, 28], lengthM: [2.2, 3], widthM: [2.2, 3], heightM: [2.1, 2.6] },
};
const ROUND: ReadonlySet<ObjectKind> = new Set(['open_manhole', 'closed_manhole', 'bollard', 'parasol', 'terrace']);
/** Share of the scenes with a crowd, and of the things that somebody or something stands before. */
const CROWDED = 0.1;
const CROWD = [6, 14] as const;
const CROWD_M = 2.2;
const HIDDEN = 0.14;
const HIDERS: readonly ObjectKind[] = ['person', 'person', 'person', 'bollard', 'planter', 'vehicle', 'bin'];

/**
 * A street and a pose. Three of four poses are those of a usual installation (about 6 m high, looking 24-32 degrees
 * down, 62-78 degrees wide); the rest covers everything that is still sensible.
 */
export function randomView(seed: number, widthPx = 640, heightPx = 360): RandomView {
  const dice = diceOf(seed, 31);
  const usual = dice.chance(0.72);
  const street: Street = {
    seed: dice.whole(1, 2 ** 31 - 1),
    originLon: 121.4 + dice.between(-1, 1),
    originLat: 31.2 + dice.between(-1, 1),
    roadHeadingDeg: dice.between(0, 360),
    roadWidthM: dice.between(6, 15),
    pavementWidthM: dice.between(2.5, 7),
    roadOffsetM: dice.between(-6, 6),
  };
  const heading = (street.roadHeadingDeg * Math.PI) / 180;
  // The lens hangs over a pavement or the road's edge, between the fronts.
  const v =
    street.roadOffsetM + dice.pick([-1, 1]) * dice.between(0.6, 1) * (street.roadWidthM / 2 + street.pavementWidthM * 0.7);
  const a = dice.between(-8, 8);
  const [lon, lat] = toWgs84(
    a * Math.sin(heading) + v * Math.cos(heading),
    a * Math.cos(heading) - v * Math.sin(heading),
    street.originLon,
    street.originLat,
  );
  const inward = street.roadHeadingDeg + (v > street.roadOffsetM ? -90 : 90);
  const pose: CameraPose = {
    lon,
    lat,
    heightM: usual ? dice.between(5, 7) : dice.between(4.5, 9),
    headingDeg: (inward + dice.between(-100, 100) + 360) % 360,
    pitchDeg: usual ? dice.between(22, 33) : dice.between(15, 40),
    hfovDeg: usual ? dice.between(62, 78) : dice.between(55, 85),
    widthPx,
    heightPx,
  };
  return { street, pose };
}

/** Of ten scenes six by day, two at dusk or under clouds, two at night; rain, a low sun and wind in between. */
export function randomLight(dice: Dice): Light {
  const hour = dice.next();
  const daylight = hour < 0.6 ? dice.between(0.8, 1) : hour < 0.78 ? dice.between(0.3, 0.8) : dice.between(0, 0.3);
  const rain = dice.chance(0.18) ? dice.between(0.2, 1) : 0;
  const sunny = rain === 0 && daylight > 0.5 && dice.chance(0.6);
  const light = { daylight, rain, sunHeadingDeg: dice.between(0, 360), shadow: sunny ? dice.between(0.3, 1) : 0 };
  const glare = rain === 0 && daylight > 0.4 && dice.chance(0.16) ? dice.between(0.2, 0.9) : 0;
  const wind = dice.chance(0.15) ? dice.between(0.2, 1) : 0;
  return { ...light, glare, wind };
}

function pickKind(dice: Dice): ObjectKind {
  const kinds = Object.entries(PLACEMENTS) as [ObjectKind, Placement][];
  let ticket = dice.next() * kinds.reduce((sum, [, placement]) => sum + placement.weight, 0);
  for (const [kind, placement] of kinds) {
    ticket -= placement.weight;
    if (ticket <= 0) return kind;
  }
  return 'person';
}

/** A ground point that the camera sees at a distance for which the kind is placed, or null after some throws. */
function placeInView(dice: Dice, camera: Camera, street: Street, placement: Placement): [number, number] | null {
  const heading = (street.roadHeadingDeg * Math.PI) / 180;
  for (let k = 0; k < 30; k++) {
    const ground = camera.ground(dice.between(0.04, 0.96) * camera.widthPx, dice.between(0.03, 0.97) * camera.heightPx);
    if (ground === null) continue;
    const [x, y] = ground;
    const away = Math.hypot(x - camera.eye[0], y - camera.eye[1]);
    if (away < placement.farM[0] || away > placement.farM[1]) continue;
    const off = Math.abs(x * Math.cos(heading) - y * Math.sin(heading) - street.roadOffsetM);
    const road = off < street.roadWidthM / 2;
    if (off > street.roadWidthM / 2 + street.pavementWidthM) continue;
    if (placement.on === 'road' && !road && k < 20) continue;
    if (placement.on === 'pavement' && road && k < 20) continue;
    return [x, y];
  }
  return null;
}

function makeObject(dice: Dice, kind: ObjectKind, at: readonly [number, number], street: Street, index: number): SceneObject {
  const placement = PLACEMENTS[kind];
  const lengthM = dice.between(...placement.lengthM);
  const widthM = ROUND.has(kind) ? lengthM : dice.between(...placement.widthM);
  // Things stand along the road or across it more often than askew.
  const turn = dice.chance(0.65) ? dice.pick([0, 90, 180, 270]) + dice.between(-8, 8) : dice.between(0, 360);
  return {
    id: `${kind}-${index}`,
    kind,
    xM: at[0],
    yM: at[1],
    headingDeg: (street.roadHeadingDeg + turn + 360) % 360,
    lengthM,
    widthM: Math.min(widthM, lengthM),
    heightM: kind === 'stall' && dice.chance(0.7) ? dice.between(2.1, 2.6) : dice.between(...placement.heightM),
    seed: dice.whole(1, 2 ** 31 - 1),
    grown: kind === 'garbage' || kind === 'ponding' ? (dice.chance(0.5) ? 1 : dice.between(0.25, 1)) : 1,
    lamps: kind === 'vehicle' && dice.chance(0.6),
  };
}

const FLAT: ReadonlySet<ObjectKind> = new Set(['ponding', 'open_manhole', 'closed_manhole', 'wet_patch']);

/** Two things may not stand in each other; flat things may lie under standing ones only at their edge. */
function collides(a: SceneObject, b: SceneObject): boolean {
  const reach = (o: SceneObject): number => (o.lengthM + o.widthM) / 4;
  const gap = Math.hypot(a.xM - b.xM, a.yM - b.yM);
  const slack = FLAT.has(a.kind) !== FLAT.has(b.kind) ? 0.8 : 1;
  return gap < (reach(a) + reach(b)) * slack;
}

/**
 * What stands in a view at one moment: up to eight things of all kinds, some scenes with none, some with a crowd, decoys
 * among them, some behind others.
 *
 * @param seed chooses things and light; the view has its own seed, so that one street can be seen in several moments.
 */
export function randomScene(view: RandomView, seed: number): Scene {
  const dice = diceOf(seed, 32);
  const { street, pose } = view;
  const camera = cameraOf(pose, street.originLon, street.originLat);
  const objects: SceneObject[] = [];
  const add = (kind: ObjectKind, at: readonly [number, number] | null): SceneObject | null => {
    if (at === null) return null;
    const object = makeObject(dice, kind, at, street, objects.length);
    if (objects.some((other) => collides(object, other))) return null;
    objects.push(object);
    return object;
  };
  const wanted = dice.chance(0.05) ? 0 : dice.whole(1, 8);
  const theme = dice.chance(0.25) ? pickKind(dice) : null;
  for (let k = 0; k < wanted; k++) {
    const kind = theme !== null && dice.chance(0.4) ? theme : pickKind(dice);
    const object = add(kind, placeInView(dice, camera, street, PLACEMENTS[kind]));
    if (object !== null && dice.chance(HIDDEN)) add(dice.pick(HIDERS), before(dice, camera, object));
  }
  if (dice.chance(CROWDED)) {
    const middle = placeInView(dice, camera, street, PLACEMENTS.person);
    const off = () => dice.between(-CROWD_M, CROWD_M);
    for (let k = dice.whole(...CROWD); middle !== null && k > 0; k--) add('person', [middle[0] + off(), middle[1] + off()]);
  }
  return { street, light: randomLight(dice), objects, ts: 1_700_000_000_000 + (seed % 1_000_003) * 1_013 };
}

/** A ground point between the lens and a thing, so near to it that what stands there hides a part. */
function before(dice: Dice, { eye }: Camera, { xM, yM, lengthM }: SceneObject): [number, number] {
  const [dx, dy] = [eye[0] - xM, eye[1] - yM];
  const away = Math.hypot(dx, dy);
  const near = lengthM / 2 + dice.between(0.4, 2.2);
  const aside = dice.between(-0.5, 0.5) * lengthM;
  return [xM + (dx * near - dy * aside) / away, yM + (dy * near + dx * aside) / away];
}
