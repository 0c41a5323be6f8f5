import type { SceneObject } from '../../scene.ts';
import type { Pen } from '../pen.ts';
import { diceOf } from '../seed.ts';
import type { Local, Rgb } from '../shape.ts';

const PAINTS: readonly Rgb[] = [
  [228, 228, 226],
  [40, 42, 46],
  [150, 154, 160],
  [180, 44, 42],
  [44, 74, 130],
  [196, 190, 176],
  [70, 104, 90],
  [222, 184, 70],
  [104, 66, 50],
  [90, 94, 100],
];
const GLASS: Rgb = [52, 62, 72];
const TYRE: Rgb = [26, 26, 28];

/** Window band on one side or end of a tapered cabin, as a quad between two shares of its height. */
function pane(a: readonly [Local, Local], b: readonly [Local, Local], from: number, to: number): Local[] {
  const mix = (p: Local, q: Local, t: number): Local => [
    p[0] + (q[0] - p[0]) * t,
    p[1] + (q[1] - p[1]) * t,
    p[2] + (q[2] - p[2]) * t,
  ];
  return [mix(a[0], a[1], from), mix(b[0], b[1], from), mix(b[0], b[1], to), mix(a[0], a[1], to)];
}

interface Body {
  l: number;
  w: number;
  beltZ: number;
  roofZ: number;
  cabin: readonly [number, number];
  rake: number;
}

function bodyOf(object: SceneObject): Body {
  const [l, w] = [object.lengthM / 2, object.widthM / 2];
  if (object.heightM > 1.75)
    return { l, w, beltZ: object.heightM * 0.52, roofZ: object.heightM, cabin: [-l * 0.99, l * 0.86], rake: 0.1 };
  return { l, w, beltZ: object.heightM * 0.58, roofZ: object.heightM, cabin: [-l * 0.86, l * 0.42], rake: object.heightM * 0.3 };
}

function drawCabin(pen: Pen, body: Body, paint: Rgb): void {
  const { w, beltZ, roofZ, rake } = body;
  const [c0, c1] = body.cabin;
  const tuck = 0.14;
  pen.box([c0, c1], [-w * 0.96, w * 0.96], [beltZ, roofZ], paint, rake, tuck);
  const eye = pen.eye();
  const low = (l: number, side: number): Local => [l, side * w * 0.962, beltZ];
  const high = (l: number, side: number): Local => [l, side * (w * 0.962 - tuck), roofZ];
  const [h0, h1] = [c0 + rake, c1 - rake];
  for (const side of [-1, 1]) {
    if (side * eye[1] < w) continue;
    const glass = pen.shade(GLASS, [0, side, 0]);
    const middle = (c0 + c1) / 2;
    pen.polygon(
      pane([low(c0 + 0.12, side), high(h0 + 0.08, side)], [low(middle - 0.05, side), high(middle - 0.05, side)], 0.12, 0.86),
      glass,
    );
    pen.polygon(
      pane([low(middle + 0.05, side), high(middle + 0.05, side)], [low(c1 - 0.12, side), high(h1 - 0.08, side)], 0.12, 0.86),
      glass,
    );
  }
  for (const [end, top, sign] of [
    [c0, h0, -1],
    [c1, h1, 1],
  ] as const) {
    if (sign * (eye[0] - top) < 0) continue;
    const nudge = sign * 0.01;
    pen.polygon(
      pane(
        [
          [end + nudge, -w * 0.86, beltZ],
          [top + nudge, -w * 0.86 + tuck, roofZ],
        ],
        [
          [end + nudge, w * 0.86, beltZ],
          [top + nudge, w * 0.86 - tuck, roofZ],
        ],
        0.1,
        0.9,
      ),
      pen.shade([GLASS[0] + 14, GLASS[1] + 14, GLASS[2] + 14], [sign, 0, 0]),
    );
  }
}

function drawWheels(pen: Pen, body: Body, radius: number): void {
  const eye = pen.eye();
  for (const side of [-1, 1]) {
    if (side * eye[1] < body.w) continue;
    for (const at of [-0.62, 0.62]) {
      const points = Array.from({ length: 12 }, (_, k): Local => {
        const t = (2 * Math.PI * k) / 12;
        return [at * body.l + radius * Math.cos(t), side * (body.w + 0.005), radius + radius * Math.sin(t)];
      });
      pen.polygon(points, TYRE);
      pen.polygon(
        points.map(([l, w, z]): Local => [at * body.l + (l - at * body.l) * 0.55, w, radius + (z - radius) * 0.55]),
        [150, 152, 156],
      );
    }
  }
}

function drawEnds(pen: Pen, body: Body): void {
  const eye = pen.eye();
  for (const sign of [-1, 1]) {
    if (sign * eye[0] < body.l) continue;
    const at = sign * (body.l + 0.01);
    const lamp: Rgb = sign > 0 ? [236, 232, 210] : [190, 40, 36];
    for (const side of [-1, 1]) {
      pen.polygon(
        [
          [at, side * body.w * 0.62, body.beltZ * 0.62],
          [at, side * body.w * 0.94, body.beltZ * 0.62],
          [at, side * body.w * 0.94, body.beltZ * 0.82],
          [at, side * body.w * 0.62, body.beltZ * 0.82],
        ],
        lamp,
      );
    }
    pen.polygon(
      [
        [at, -body.w * 0.95, 0.28],
        [at, body.w * 0.95, 0.28],
        [at, body.w * 0.95, 0.42],
        [at, -body.w * 0.95, 0.42],
      ],
      [60, 62, 64],
    );
    pen.polygon(
      [
        [at, -0.26, 0.46],
        [at, 0.26, 0.46],
        [at, 0.26, 0.58],
        [at, -0.26, 0.58],
      ],
      sign > 0 ? [60, 90, 170] : [200, 200, 200],
    );
  }
}

/** Car, or van above 1.75 m of height; `headingDeg` is where the bonnet points. No plate can be read. */
export function drawVehicle(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 501);
  const paint = dice.pick(PAINTS);
  const body = bodyOf(object);
  const { l, w, beltZ } = body;
  const sill = 0.24;
  pen.box([-l * 0.97, l * 0.97], [-w * 0.9, w * 0.9], [0.12, sill], [30, 30, 32]);
  pen.box([-l, l], [-w, w], [sill, beltZ], paint, 0.05, 0.02);
  drawWheels(pen, body, Math.min(0.34, object.heightM * 0.22));
  drawEnds(pen, body);
  drawCabin(pen, body, [paint[0] * 0.97, paint[1] * 0.97, paint[2] * 0.97]);
}
