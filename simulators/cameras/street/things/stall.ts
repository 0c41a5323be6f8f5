import type { SceneObject } from '../../scene.ts';
import type { Pen } from '../pen.ts';
import { type Dice, diceOf } from '../seed.ts';
import type { Local, Rgb } from '../shape.ts';

const CLOTHS: readonly Rgb[] = [
  [196, 48, 44],
  [44, 96, 168],
  [226, 222, 212],
  [60, 132, 84],
  [226, 168, 56],
  [120, 84, 60],
  [108, 110, 116],
];
const GOODS: readonly Rgb[] = [
  [220, 64, 48],
  [240, 160, 48],
  [244, 220, 90],
  [96, 168, 70],
  [150, 60, 110],
  [236, 232, 224],
  [196, 140, 90],
  [70, 120, 190],
  [80, 60, 44],
];

/** Umbrella on a pole at (l, w): a shallow cone of panels in two colours. */
export function drawUmbrella(pen: Pen, l: number, w: number, heightM: number, radiusM: number, dice: Dice): void {
  const one = dice.pick(CLOTHS);
  const two = dice.chance(0.5) ? dice.pick(CLOTHS) : ([one[0] * 0.86, one[1] * 0.86, one[2] * 0.86] as const);
  const panels = 8;
  const top: Local = [l, w, heightM];
  const rim = heightM - radiusM * 0.38;
  const turn = dice.between(0, 0.8);
  pen.rod([l, w, 0], [l, w, heightM - 0.1], 0.06, [170, 170, 172]);
  const eye = pen.eye();
  const faces = Array.from({ length: panels }, (_, k) => {
    const a = turn + (2 * Math.PI * k) / panels;
    const b = a + (2 * Math.PI) / panels;
    const middle = (a + b) / 2;
    const near = Math.hypot(eye[0] - l - Math.cos(middle), eye[1] - w - Math.sin(middle));
    return { a, b, middle, near, colour: k % 2 === 0 ? one : two };
  }).sort((p, q) => q.near - p.near);
  for (const { a, b, middle, colour } of faces) {
    const lit = pen.shade(colour, [Math.cos(middle), Math.sin(middle), 0]);
    pen.polygon(
      [
        top,
        [l + radiusM * Math.cos(a), w + radiusM * Math.sin(a), rim],
        [l + radiusM * Math.cos(b), w + radiusM * Math.sin(b), rim],
      ],
      [lit[0] * 1.12, lit[1] * 1.12, lit[2] * 1.12],
    );
  }
}

/** Goods in a tray from l0..l1 and w0..w1 at height z: trays of one colour, speckled with items. */
function drawGoods(pen: Pen, l: readonly [number, number], w: readonly [number, number], z: number, dice: Dice): void {
  const along = Math.max(2, Math.round((l[1] - l[0]) / 0.42));
  const across = Math.max(1, Math.round((w[1] - w[0]) / 0.45));
  const heaped = dice.chance(0.6);
  for (let i = 0; i < along; i++) {
    for (let j = 0; j < across; j++) {
      const [a0, a1] = [l[0] + ((l[1] - l[0]) * (i + 0.08)) / along, l[0] + ((l[1] - l[0]) * (i + 0.92)) / along];
      const [b0, b1] = [w[0] + ((w[1] - w[0]) * (j + 0.08)) / across, w[0] + ((w[1] - w[0]) * (j + 0.92)) / across];
      const colour = dice.pick(GOODS);
      const rise = dice.between(0.05, 0.22);
      const spots = [dice.next(), dice.next(), dice.next()];
      pen.part((a0 + a1) / 2, (b0 + b1) / 2, z, () => {
        pen.box([a0, a1], [b0, b1], [z, z + rise], colour, heaped ? 0.07 : 0);
        // Single items would be smaller than a pixel far away.
        if (pen.pxPerM * 0.06 < 0.9) return;
        for (const spot of spots) {
          pen.disc([a0 + (a1 - a0) * (0.2 + 0.6 * spot), b0 + (b1 - b0) * (0.2 + 0.6 * ((spot * 7) % 1)), z + rise], 0.06, 0.06, [
            colour[0] * 1.2,
            colour[1] * 1.15,
            colour[2] * 0.8,
          ]);
        }
      });
    }
  }
}

function drawWheel(pen: Pen, l: number, w: number, radius: number): void {
  const corners = 12;
  const points = Array.from({ length: corners }, (_, k): Local => {
    const t = (2 * Math.PI * k) / corners;
    return [l + radius * Math.cos(t), w, radius + radius * Math.sin(t)];
  });
  pen.polygon(points, [34, 34, 36]);
  pen.polygon(
    points.map(([pl, pw, pz]): Local => [l + (pl - l) * 0.55, pw, radius + (pz - radius) * 0.55]),
    [130, 130, 132],
  );
}

function drawTricycle(pen: Pen, l: number, w: number, dice: Dice): void {
  const paint = dice.pick<Rgb>([
    [46, 92, 160],
    [178, 44, 40],
    [70, 130, 84],
    [120, 122, 126],
  ]);
  const bed = 0.62;
  // The cargo box takes two thirds, the saddle and handlebar the rest.
  const split = l * 0.3;
  pen.part(-l * 0.2, -w, 0.2, () => drawWheel(pen, -l * 0.5, -w - 0.02, 0.28));
  pen.part(-l * 0.2, w, 0.2, () => drawWheel(pen, -l * 0.5, w + 0.02, 0.28));
  pen.part(-l * 0.3, 0, 0.4, () => pen.box([-l, split], [-w, w], [0.3, bed + 0.14], paint));
  pen.flush();
  drawGoods(pen, [-l + 0.06, split - 0.06], [-w + 0.05, w - 0.05], bed + 0.14, dice);
  pen.flush();
  pen.part(l * 0.85, 0, 0.3, () => drawWheel(pen, l * 0.85, 0, 0.28));
  pen.part(l * 0.45, 0, 0.7, () => {
    pen.rod([split, 0, 0.4], [l * 0.85, 0, 0.45], 0.08, paint);
    pen.box([l * 0.36, l * 0.58], [-0.14, 0.14], [0.68, 0.78], [36, 34, 34]);
    pen.rod([l * 0.85, 0, 0.3], [l * 0.72, 0, 1], 0.07, [60, 60, 62]);
    pen.rod([l * 0.72, -0.3, 1], [l * 0.72, 0.3, 1], 0.06, [50, 50, 52]);
  });
  pen.flush();
}

function drawTable(pen: Pen, l: number, w: number, dice: Dice): void {
  const cloth = dice.pick(CLOTHS);
  const z = dice.between(0.6, 0.85);
  if (dice.chance(0.7)) pen.box([-l, l], [-w, w], [0.08, z], cloth);
  else {
    for (const [sl, sw] of [
      [-1, -1],
      [-1, 1],
      [1, -1],
      [1, 1],
    ] as const)
      pen.rod([sl * (l - 0.05), sw * (w - 0.05), 0], [sl * (l - 0.05), sw * (w - 0.05), z], 0.05, [120, 116, 112]);
    pen.box([-l, l], [-w, w], [z - 0.06, z], cloth);
  }
  drawGoods(pen, [-l + 0.05, l - 0.05], [-w + 0.05, w - 0.05], z, dice);
  pen.flush();
}

/** Snack cart: steel body, glass case, often a lettered board. */
function drawCart(pen: Pen, l: number, w: number, dice: Dice): void {
  const body = dice.pick<Rgb>([
    [176, 178, 182],
    [206, 60, 48],
    [228, 190, 70],
    [70, 120, 150],
  ]);
  const caseZ = 0.9;
  drawWheel(pen, -l * 0.6, pen.eye()[1] > 0 ? w + 0.02 : -w - 0.02, 0.2);
  pen.box([-l, l], [-w, w], [0.22, caseZ], body);
  const face = pen.eye()[1] > 0 ? w : -w;
  pen.polygon(
    [
      [-l * 0.8, face * 1.005, 0.4],
      [l * 0.8, face * 1.005, 0.4],
      [l * 0.8, face * 1.005, 0.75],
      [-l * 0.8, face * 1.005, 0.75],
    ],
    dice.pick(CLOTHS),
  );
  drawGoods(pen, [-l * 0.9, l * 0.3], [-w * 0.8, w * 0.8], caseZ, dice);
  pen.flush();
  pen.box([l * 0.35, l * 0.92], [-w * 0.8, w * 0.8], [caseZ, caseZ + 0.42], [168, 184, 190]);
}

/** Goods on a cloth on the ground, with baskets. */
function drawBlanket(pen: Pen, l: number, w: number, dice: Dice): void {
  pen.box([-l, l], [-w, w], [0, 0.03], dice.pick(CLOTHS));
  drawGoods(pen, [-l * 0.92, l * 0.92], [-w * 0.9, w * 0.9], 0.03, dice);
  pen.flush();
}

/** A vendor's stall: tricycle, table, cart or cloth with goods; above 1.5 m of height it has a canopy. */
export function drawStall(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 301);
  const [l, w] = [object.lengthM / 2, object.widthM / 2];
  const kind = dice.next();
  const canopy = object.heightM > 1.5;
  const roofed = canopy && dice.chance(0.35);
  if (roofed) drawPosts(pen, l, w, object.heightM, true);
  if (kind < 0.36) drawTricycle(pen, l, w, dice);
  else if (kind < 0.66) drawTable(pen, l, w, dice);
  else if (kind < 0.86) drawCart(pen, l, w, dice);
  else drawBlanket(pen, l, w, dice);
  if (roofed) drawAwning(pen, l, w, object.heightM, dice);
  else if (canopy) {
    const lean = dice.between(-0.5, 0.5);
    drawUmbrella(pen, l * lean, w * 0.4 * lean, object.heightM, Math.max(1, Math.min(1.5, l * dice.between(0.85, 1.2))), dice);
  }
}

function drawPosts(pen: Pen, l: number, w: number, heightM: number, far: boolean): void {
  const eye = pen.eye();
  for (const sl of [-1, 1]) {
    for (const sw of [-1, 1]) {
      const isFar = sw * eye[1] < 0;
      if (isFar === far) pen.rod([sl * l, sw * w, 0], [sl * l, sw * w, heightM - 0.2], 0.05, [150, 150, 152]);
    }
  }
}

function drawAwning(pen: Pen, l: number, w: number, heightM: number, dice: Dice): void {
  drawPosts(pen, l, w, heightM, false);
  const colour = dice.pick(CLOTHS);
  const stripe = dice.pick<Rgb>([
    [232, 230, 224],
    [colour[0] * 0.8, colour[1] * 0.8, colour[2] * 0.8],
  ]);
  const bands = 6;
  const over = 0.12;
  for (let k = 0; k < bands; k++) {
    const [a, b] = [-l - over + ((2 * l + 2 * over) * k) / bands, -l - over + ((2 * l + 2 * over) * (k + 1)) / bands];
    const shade = pen.shade(k % 2 === 0 ? colour : stripe, [0, 0, 1]);
    const low = pen.shade(k % 2 === 0 ? colour : stripe, [0, pen.eye()[1] > 0 ? 1 : -1, 0]);
    pen.polygon(
      [
        [a, -w - over, heightM - 0.12],
        [b, -w - over, heightM - 0.12],
        [b, w + over, heightM],
        [a, w + over, heightM],
      ],
      shade,
    );
    const face = pen.eye()[1] > 0 ? w + over : -w - over;
    const top = pen.eye()[1] > 0 ? heightM : heightM - 0.12;
    pen.polygon(
      [
        [a, face, top],
        [b, face, top],
        [b, face, top - 0.22],
        [a, face, top - 0.22],
      ],
      low,
    );
  }
}
