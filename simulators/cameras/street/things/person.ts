import type { SceneObject } from '../../scene.ts';
import type { Pen } from '../pen.ts';
import { diceOf } from '../seed.ts';
import { type Local, type Rgb, ring } from '../shape.ts';

const SHIRTS: readonly Rgb[] = [
  [196, 60, 56],
  [58, 92, 160],
  [228, 226, 220],
  [44, 46, 52],
  [220, 176, 70],
  [84, 130, 86],
  [150, 110, 160],
  [120, 124, 130],
  [236, 140, 60],
  [140, 176, 206],
];
const TROUSERS: readonly Rgb[] = [
  [44, 50, 70],
  [34, 34, 36],
  [110, 100, 86],
  [86, 92, 100],
  [150, 140, 124],
];

/** Limb as a sprite quad from (r0, u0) to (r1, u1), metres from the feet. */
function limb(pen: Pen, from: readonly [number, number], to: readonly [number, number], thick: number, colour: Rgb): void {
  const dr = to[0] - from[0];
  const du = to[1] - from[1];
  const norm = Math.hypot(dr, du) || 1;
  const [nr, nu] = [(-du / norm) * (thick / 2), (dr / norm) * (thick / 2)];
  pen.sprite(
    [0, 0, 0],
    [
      [from[0] + nr, from[1] + nu],
      [from[0] - nr, from[1] - nu],
      [to[0] - nr * 0.85, to[1] - nu * 0.85],
      [to[0] + nr * 0.85, to[1] + nu * 0.85],
    ],
    colour,
  );
}

/** Somebody on foot: an upright sprite whose stride follows the distance walked, so that walking needs no clock. */
export function drawPerson(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 201);
  const shirt = dice.pick(SHIRTS);
  const trousers = dice.pick(TROUSERS);
  const skin: Rgb = dice.pick<Rgb>([
    [214, 170, 140],
    [196, 150, 120],
    [226, 188, 160],
  ]);
  const hair: Rgb = dice.chance(0.8)
    ? [32, 28, 28]
    : dice.pick<Rgb>([
        [150, 148, 146],
        [90, 60, 40],
        [206, 60, 50],
      ]);
  const skirt = dice.chance(0.2);
  const bag = dice.chance(0.35);
  const stout = dice.between(0.9, 1.2);
  // The lens looks down: an upright person is foreshortened by the cosine of the line of sight.
  const eye = pen.eye();
  const distance = Math.hypot(...eye);
  const squash = Math.max(0.35, Math.hypot(eye[0], eye[1]) / distance);
  const h = object.heightM * squash;
  const stride = Math.sin((object.xM + object.yM) * 4.4 + object.seed) * 0.13;
  // Seen from the side the legs open fully, from the front hardly.
  const open = 0.25 + 0.75 * Math.min(1, Math.abs(eye[1]) / (Math.abs(eye[0]) + Math.abs(eye[1]) + 1e-6));
  const s = stride * open * 1.6;
  const u = (share: number): number => h * share;
  limb(pen, [0.06, u(0.48)], [0.07 + s, u(0.02)], 0.15 * stout, trousers);
  limb(pen, [-0.06, u(0.48)], [-0.07 - s, u(0.02)], 0.15 * stout, [trousers[0] * 0.86, trousers[1] * 0.86, trousers[2] * 0.86]);
  limb(pen, [0.07 + s, u(0.035)], [0.1 + s, 0], 0.1, [40, 38, 38]);
  limb(pen, [-0.07 - s, u(0.035)], [-0.1 - s, 0], 0.1, [40, 38, 38]);
  if (skirt)
    pen.sprite(
      [0, 0, 0],
      [
        [-0.14, u(0.52)],
        [0.14, u(0.52)],
        [0.24, u(0.28)],
        [-0.24, u(0.28)],
      ],
      trousers,
    );
  const wide = 0.185 * stout;
  const sleeve: Rgb = [shirt[0] * 0.85, shirt[1] * 0.85, shirt[2] * 0.85];
  limb(pen, [-wide, u(0.8)], [-wide - 0.02 + s * 0.8, u(0.48)], 0.1, sleeve);
  pen.sprite(
    [0, 0, 0],
    [
      [-wide, u(0.83)],
      [wide, u(0.83)],
      [wide * 0.85, u(0.46)],
      [-wide * 0.85, u(0.46)],
    ],
    shirt,
  );
  limb(pen, [wide, u(0.8)], [wide + 0.02 - s * 0.8, u(0.48)], 0.1, sleeve);
  if (bag)
    pen.sprite(
      [0, 0, 0],
      [
        [wide - 0.02, u(0.6)],
        [wide + 0.2, u(0.6)],
        [wide + 0.2, u(0.42)],
        [wide - 0.02, u(0.42)],
      ],
      dice.pick(SHIRTS),
    );
  const head = (dr: number, du: number, radius: number, colour: Rgb): void =>
    pen.sprite(
      [0, 0, 0],
      ring(10, radius, radius * 1.1).map(([a, b]): [number, number] => [dr + a, u(0.91) + du + b]),
      colour,
    );
  head(0, 0, 0.115, skin);
  head(0, 0.04, 0.105, hair);
}

/** Footprint of a person's shadow, metres. */
export const PERSON_FOOT: Local = [0.2, 0.25, 0];
