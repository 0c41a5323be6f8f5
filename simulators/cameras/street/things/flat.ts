import type { SceneObject } from '../../scene.ts';
import type { Pen } from '../pen.ts';
import { type Dice, diceOf } from '../seed.ts';
import { type Local, type Rgb, ring } from '../shape.ts';

/** Corners of an irregular closed shape on the ground with smooth bays, `radiusL` x `radiusW`. */
function pool(dice: Dice, radiusL: number, radiusW: number): Local[] {
  const waves = [2, 3, 4, 5].map((order) => ({
    order,
    size: dice.between(0.04, 0.22) / Math.sqrt(order),
    phase: dice.between(0, 7),
  }));
  const corners = 28;
  const points = ring(corners, 1, 1).map(([l, w], k): [number, number] => {
    const t = (2 * Math.PI * k) / corners;
    const r = 1 + waves.reduce((sum, wave) => sum + wave.size * Math.cos(wave.order * t + wave.phase), 0);
    return [l * r, w * r];
  });
  // Scaled back so that length and width mean what they say.
  const reachL = Math.max(...points.map((p) => Math.abs(p[0])));
  const reachW = Math.max(...points.map((p) => Math.abs(p[1])));
  return points.map(([l, w]): Local => [(l / reachL) * radiusL, (w / reachW) * radiusW, 0]);
}

const scaled = (points: readonly Local[], by: number): Local[] => points.map(([l, w, z]) => [l * by, w * by, z]);

/** Standing water: a sharp-edged pool that mirrors sky and fronts, in a damp rim. The rim is not part of the box. */
export function drawPonding(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 101);
  const size = Math.sqrt(0.12 + 0.88 * object.grown);
  const shape = pool(dice, (object.lengthM / 2) * size, (object.widthM / 2) * size);
  pen.polygon(scaled(shape, 1.12), [38, 36, 34], { alpha: 0.28, solid: false });
  pen.polygon(scaled(shape, 1.05), [34, 33, 32], { alpha: 0.3, solid: false });
  const muddy = dice.chance(0.3);
  const sky: Rgb = muddy
    ? [164, 152, 128]
    : dice.pick<Rgb>([
        [196, 208, 222],
        [176, 190, 206],
        [206, 210, 212],
        [150, 170, 192],
      ]);
  const front: Rgb = muddy
    ? [104, 92, 72]
    : dice.pick<Rgb>([
        [84, 92, 98],
        [96, 98, 92],
        [72, 84, 74],
        [110, 112, 114],
      ]);
  const at = pen.camera.pixel(...pen.world([0, 0, 0]));
  const reach = Math.max(object.lengthM, object.widthM) / 2;
  const distance = Math.hypot(...pen.eye());
  const half = ((pen.camera.focalPx * reach) / distance) * (pen.camera.eye[2] / distance) + 2;
  if (at === null) return;
  const gradient = pen.ctx.createLinearGradient(at[0] - half * 0.2, at[1] - half, at[0] + half * 0.2, at[1] + half);
  const split = dice.between(0.25, 0.6);
  const blend = (a: Rgb, b: Rgb, t: number): string =>
    `rgb(${a.map((v, c) => Math.round(v + ((b[c] as number) - v) * t)).join(',')})`;
  gradient.addColorStop(0, blend(front, sky, 0.25));
  gradient.addColorStop(Math.max(0, split - 0.08), blend(front, sky, 0.1));
  gradient.addColorStop(split + 0.08, blend(front, sky, 0.8));
  gradient.addColorStop(1, blend(sky, front, 0.1));
  pen.styled(shape, gradient);
  for (let k = 0; k < 3; k++) {
    const [l, w] = [dice.between(-0.35, 0.35) * object.lengthM * size, dice.between(-0.3, 0.3) * object.widthM * size];
    const bright = dice.chance(0.6);
    pen.disc(
      [l, w, 0],
      dice.between(0.06, 0.14) * object.lengthM * size,
      dice.between(0.03, 0.09) * object.widthM * size,
      bright ? [232, 236, 240] : front,
      {
        alpha: 0.4,
        solid: false,
      },
    );
  }
}

/** Damp ground without a mirror: what drying, sweeping and leaking leave behind. */
export function drawWetPatch(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 102);
  const shape = pool(dice, object.lengthM / 2, object.widthM / 2);
  for (const [by, alpha] of [
    [1.1, 0.12],
    [1, 0.16],
    [0.88, 0.16],
    [0.7, 0.1],
  ] as const) {
    pen.polygon(scaled(shape, by), [30, 29, 28], { alpha });
  }
}

/** Manhole without its cover: a black shaft in an iron rim, the far wall catching light; the cover may lie beside it. */
export function drawOpenManhole(pen: Pen, object: SceneObject): void {
  const dice = diceOf(object.seed, 103);
  const r = object.lengthM / 2;
  if (dice.chance(0.6)) {
    const turn = dice.between(0, Math.PI * 2);
    const [l, w] = [Math.cos(turn) * r * 2.3, Math.sin(turn) * r * 2.3];
    pen.disc([l + 0.05, w + 0.05, 0], r * 1.03, r * 1.03, [20, 20, 20], { alpha: 0.4, solid: false });
    drawCover(pen, l, w, 0.05, r * 0.95, dice, false);
  }
  const rim = dice.between(110, 170);
  pen.disc([0, 0, 0], r, r, [rim, rim * 0.98, rim * 0.94]);
  pen.disc([0, 0, 0], r * 0.86, r * 0.86, [62, 58, 54]);
  const eye = pen.eye();
  const far = Math.hypot(eye[0], eye[1]) || 1;
  const shift = 0.2 * r;
  pen.disc([(eye[0] / far) * shift * 0.6, (eye[1] / far) * shift * 0.6, 0], r * 0.72, r * 0.74, [10, 10, 12]);
}

export function drawClosedManhole(pen: Pen, object: SceneObject): void {
  drawCover(pen, 0, 0, 0, object.lengthM / 2, diceOf(object.seed, 104), true);
}

function drawCover(pen: Pen, l: number, w: number, z: number, r: number, dice: Dice, solid: boolean): void {
  const tone = dice.between(74, 128);
  const rust = dice.between(0, 18);
  const iron: Rgb = [tone + rust, tone, tone - rust * 0.6];
  const dark: Rgb = [iron[0] * 0.8, iron[1] * 0.8, iron[2] * 0.8];
  pen.disc([l, w, z], r, r, dark, { solid });
  pen.disc([l, w, z], r * 0.9, r * 0.9, iron, { solid });
  pen.disc([l, w, z], r * 0.62, r * 0.62, dark, { solid });
  pen.disc([l, w, z], r * 0.5, r * 0.5, iron, { solid });
  for (let k = 0; k < 6; k++) {
    const t = (k * Math.PI) / 3;
    pen.disc([l + Math.cos(t) * r * 0.76, w + Math.sin(t) * r * 0.76, z], r * 0.08, r * 0.08, dark, { solid });
  }
}
