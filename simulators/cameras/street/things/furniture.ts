import type { SceneObject } from '../../scene.ts';
import type { Pen } from '../pen.ts';
import { diceOf } from '../seed.ts';
import type { Rgb } from '../shape.ts';
import { drawUmbrella } from './stall.ts';

/** Litter bin: box or drum with a lid and a slot. */
export function drawBin(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 601);
  const colour = dice.pick<Rgb>([
    [60, 110, 70],
    [70, 96, 140],
    [96, 98, 100],
    [150, 152, 150],
    [186, 96, 48],
    [52, 54, 56],
  ]);
  const lid: Rgb = [colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7];
  const [l, w, z] = [object.lengthM / 2, object.widthM / 2, object.heightM];
  if (dice.chance(0.4)) {
    pen.cylinder(0, 0, [0, z * 0.86], l * 0.9, l, colour);
    pen.cylinder(0, 0, [z * 0.86, z], l * 1.05, l * 0.6, lid);
    return;
  }
  const twin = dice.chance(0.4);
  pen.box([-l, l], [-w, w], [0.04, z * 0.88], colour);
  if (twin) {
    const face = pen.eye()[1] > 0 ? w * 1.01 : -w * 1.01;
    pen.polygon(
      [
        [0, face, 0.1],
        [l * 0.95, face, 0.1],
        [l * 0.95, face, z * 0.8],
        [0, face, z * 0.8],
      ],
      [176, 90, 50],
    );
  }
  pen.box([-l * 1.06, l * 1.06], [-w * 1.06, w * 1.06], [z * 0.88, z], lid, 0.03);
}

export function drawBollard(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 602);
  const [r, z] = [object.lengthM / 2, object.heightM];
  const colour = dice.pick<Rgb>([
    [60, 62, 64],
    [226, 190, 60],
    [186, 186, 184],
    [200, 70, 50],
  ]);
  const band = dice.pick<Rgb>([
    [232, 230, 226],
    [210, 60, 50],
    [40, 40, 42],
  ]);
  pen.cylinder(0, 0, [0, z * 0.62], r, r, colour);
  pen.cylinder(0, 0, [z * 0.62, z * 0.78], r * 1.02, r * 1.02, band);
  pen.cylinder(0, 0, [z * 0.78, z], r, r * 0.8, colour);
}

/** Tub or kerbed bed with shrubs. */
export function drawPlanter(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 603);
  const [l, w, z] = [object.lengthM / 2, object.widthM / 2, object.heightM];
  pen.box(
    [-l, l],
    [-w, w],
    [0, z * 0.5],
    dice.pick<Rgb>([
      [150, 146, 140],
      [130, 92, 66],
      [176, 172, 164],
      [110, 112, 112],
    ]),
  );
  pen.box([-l * 0.9, l * 0.9], [-w * 0.85, w * 0.85], [z * 0.5, z * 0.52], [70, 56, 44]);
  const bushes = Math.max(3, Math.round(l * 6));
  const flowers = dice.chance(0.4)
    ? dice.pick<Rgb>([
        [220, 80, 110],
        [240, 200, 80],
        [230, 230, 226],
      ])
    : null;
  for (let k = 0; k < bushes; k++) {
    const [bl, bw] = [dice.between(-0.8, 0.8) * l, dice.between(-0.6, 0.6) * w];
    const green: Rgb = [dice.between(46, 84), dice.between(88, 132), dice.between(40, 66)];
    const r = Math.min(w, z * 0.42) * dice.between(0.6, 0.95);
    const spot = dice.between(-0.5, 0.5);
    pen.part(bl, bw, z * 0.6, () => {
      pen.ball([bl, bw, z * 0.66], r, green, 0.85);
      pen.ball([bl - r * 0.2, bw, z * 0.66 + r * 0.3], r * 0.6, [green[0] * 1.22, green[1] * 1.2, green[2] * 1.1], 0.8);
      if (flowers !== null) pen.ball([bl + spot * r, bw, z * 0.7 + r * 0.5], 0.06, flowers);
    });
  }
  pen.flush();
}

export function drawBench(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 604);
  const [l, w] = [object.lengthM / 2, object.widthM / 2];
  const wood = dice.pick<Rgb>([
    [134, 92, 58],
    [110, 112, 116],
    [160, 120, 80],
  ]);
  for (const at of [-0.8, 0.8]) pen.box([at * l - 0.05, at * l + 0.05], [-w, w], [0, 0.4], [70, 70, 72]);
  for (let k = 0; k < 3; k++) {
    const from = -w + (2 * w * (k + 0.08)) / 3;
    pen.part(0, from, 0.42, () => pen.box([-l, l], [from, from + w * 0.54], [0.4, 0.45], wood));
  }
  if (dice.chance(0.6)) pen.part(0, -w, 0.7, () => pen.box([-l, l], [-w - 0.05, -w], [0.52, 0.84], wood));
  pen.flush();
}

/** An umbrella with nothing sold below it. */
export function drawParasol(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 605);
  pen.disc([0, 0, 0.05], 0.28, 0.28, [120, 120, 118]);
  drawUmbrella(pen, 0, 0, object.heightM, object.lengthM / 2, dice);
}

/** A market or café umbrella on ground let for it: a bare table with stools below it, or folded with the stools stacked. */
export function drawTerrace(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 606);
  const [r, z] = [object.lengthM / 2, object.heightM];
  const wood = dice.pick<Rgb>([
    [150, 112, 74],
    [92, 94, 98],
    [206, 204, 198],
  ]);
  const stools = dice.whole(2, 4);
  const turn = dice.between(0, 6);
  for (let k = 0; k < stools; k++) {
    const t = turn + (2 * Math.PI * k) / stools;
    const [l, w] = [Math.cos(t) * r * 0.62, Math.sin(t) * r * 0.62];
    pen.part(l, w, 0.4, () => pen.cylinder(l, w, [0, 0.44], 0.13, 0.19, wood));
  }
  pen.part(0, 0, 0.7, () => {
    pen.cylinder(0, 0, [0, 0.7], 0.08, 0.06, [90, 90, 92]);
    pen.cylinder(0, 0, [0.7, 0.75], r * 0.34, r * 0.34, wood);
  });
  pen.flush();
  if (dice.chance(0.7)) {
    drawUmbrella(pen, 0, 0, z, r, dice);
    return;
  }
  const cloth = dice.pick<Rgb>([
    [196, 60, 52],
    [226, 222, 212],
    [52, 100, 160],
    [60, 126, 84],
  ]);
  pen.cylinder(0, 0, [0.75, 1.1], 0.05, 0.05, [170, 170, 172]);
  pen.cylinder(0, 0, [1.1, z], 0.2, 0.06, cloth);
}
