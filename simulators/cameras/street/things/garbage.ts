import type { SceneObject } from '../../scene.ts';
import type { Pen } from '../pen.ts';
import { type Dice, diceOf } from '../seed.ts';
import type { Rgb } from '../shape.ts';

const BAGS: readonly Rgb[] = [
  [36, 36, 38],
  [44, 46, 50],
  [58, 74, 110],
  [206, 204, 200],
  [70, 112, 82],
  [178, 60, 56],
  [190, 170, 90],
  [120, 116, 118],
];
const BOARD: readonly Rgb[] = [
  [176, 136, 92],
  [158, 118, 78],
  [196, 160, 116],
];

/** A tied bag: a lumpy blob with a lit shoulder, folds and a knot. */
function drawBag(pen: Pen, l: number, w: number, z: number, radius: number, dice: Dice): void {
  const colour = dice.pick(BAGS);
  const squash = dice.between(0.7, 0.95);
  const lumps = [dice.between(0, 7), dice.between(0, 7)];
  const outline = Array.from({ length: 16 }, (_, k): [number, number] => {
    const t = (2 * Math.PI * k) / 16;
    const r = radius * (1 + 0.1 * Math.sin(3 * t + (lumps[0] as number)) + 0.07 * Math.sin(5 * t + (lumps[1] as number)));
    return [r * Math.cos(t), r * squash * Math.sin(t)];
  });
  const at = [l, w, z + radius * squash * 0.75] as const;
  pen.sprite(at, outline, [colour[0] * 0.82, colour[1] * 0.82, colour[2] * 0.82]);
  pen.sprite(
    at,
    outline.map(([r, u]): [number, number] => [r * 0.72 - radius * 0.1, u * 0.66 + radius * 0.14]),
    [colour[0] * 1.08, colour[1] * 1.08, colour[2] * 1.08],
  );
  pen.sprite(
    at,
    [
      [-radius * 0.35, radius * 0.3],
      [radius * 0.05, radius * 0.42],
      [-radius * 0.2, radius * 0.16],
    ],
    [colour[0] + 60, colour[1] + 60, colour[2] + 60],
    { alpha: 0.6 },
  );
  pen.sprite(
    at,
    [
      [-radius * 0.1, radius * squash * 0.85],
      [radius * 0.14, radius * squash * 0.85],
      [radius * 0.02, radius * squash * 1.25],
    ],
    [colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7],
  );
}

function drawCarton(pen: Pen, l: number, w: number, z: number, size: number, dice: Dice): void {
  const colour = dice.pick(BOARD);
  const [a, b, c] = [size * dice.between(0.7, 1.2), size * dice.between(0.6, 1), size * dice.between(0.4, 0.9)];
  pen.box([l - a, l + a], [w - b, w + b], [z, z + c], colour);
  // An open flap or tape.
  pen.polygon(
    [
      [l - a * 0.1, w - b, z + c],
      [l + a * 0.1, w - b, z + c],
      [l + a * 0.1, w + b, z + c],
      [l - a * 0.1, w + b, z + c],
    ],
    [colour[0] * 0.78, colour[1] * 0.78, colour[2] * 0.78],
  );
}

/** Dumped rubbish: bags, cartons and litter; `grown` adds pieces from the middle outwards and lets the heap rise. */
export function drawGarbage(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 401);
  const size = 0.45 + 0.55 * object.grown;
  const [l, w] = [(object.lengthM / 2) * size, (object.widthM / 2) * size];
  const pieces = Math.round(4 + object.grown * dice.between(6, 11));
  const cartons = dice.between(0.1, 0.5);
  const litter = dice.whole(5, 12);
  for (let k = 0; k < litter; k++) {
    const t = dice.between(0, Math.PI * 2);
    const far = dice.between(0.6, 0.95);
    const bright = dice.pick<Rgb>([
      [226, 224, 220],
      [190, 180, 150],
      [90, 130, 180],
      [60, 58, 56],
      [200, 80, 70],
    ]);
    pen.disc([l * far * Math.cos(t), w * far * Math.sin(t), 0.01], dice.between(0.05, 0.13), dice.between(0.04, 0.09), bright);
  }
  for (let k = 0; k < pieces; k++) {
    const t = dice.between(0, Math.PI * 2);
    const far = Math.sqrt(k / pieces) * 0.72;
    const radius = Math.min(0.36, object.heightM * 0.45) * dice.between(0.65, 1.05);
    const z =
      k < pieces * 0.35 && object.grown > 0.35 ? Math.max(0, object.heightM * size - radius * 1.8) * dice.between(0.3, 1) : 0;
    const [pl, pw] = [l * far * Math.cos(t), w * far * Math.sin(t)];
    const own = diceOf(object.seed, 402, k);
    const carton = dice.chance(cartons);
    pen.part(pl, pw, z, () => (carton ? drawCarton(pen, pl, pw, z, radius, own) : drawBag(pen, pl, pw, z, radius, own)));
  }
  pen.flush();
}
