import { type Canvas, createCanvas } from '@napi-rs/canvas';
import type { Light, Street } from '../scene.ts';
import type { Camera, Vec3 } from './camera.ts';
import { OwnerMask } from './mask.ts';
import { Pen } from './pen.ts';
import { diceOf } from './seed.ts';
import type { Rgb } from './shape.ts';

/** A fixed thing of the street that may stand before others: drawn once into its own cut-out, then pasted in depth order. */
export interface Prop {
  xM: number;
  yM: number;
  farM: number;
  cutout: Canvas;
  leftPx: number;
  topPx: number;
  /** Outlines in pixels for the mask: what it hides. */
  outlines: { xs: number[]; ys: number[] }[];
  crownM: number;
}

interface Plan {
  xM: number;
  yM: number;
  kind: 'tree' | 'lamp';
  seed: number;
}

function planProps(street: Street): Plan[] {
  const dice = diceOf(street.seed, 21);
  const heading = (street.roadHeadingDeg * Math.PI) / 180;
  const [sin, cos] = [Math.sin(heading), Math.cos(heading)];
  const leafy = dice.chance(0.7) ? dice.between(0.2, 0.8) : 0;
  const plans: Plan[] = [];
  for (const side of [-1, 1]) {
    for (let k = -7; k <= 7; k++) {
      const a = k * 9 + dice.between(-1, 1);
      const v = street.roadOffsetM + side * (street.roadWidthM / 2 + 0.6);
      const at = { xM: a * sin + v * cos, yM: a * cos - v * sin, seed: dice.whole(1, 1e9) };
      const tree = dice.chance(leafy);
      if (k % 3 === 0) plans.push({ ...at, kind: 'lamp' });
      else if (tree) plans.push({ ...at, kind: 'tree' });
    }
  }
  return plans;
}

/** Ground points below the street lamps, local metres. */
export function lampsOf(street: Street): Vec3[] {
  return planProps(street)
    .filter((plan) => plan.kind === 'lamp')
    .map((plan) => [plan.xM, plan.yM, 0]);
}

/** Where the heads of the street lamps hang, local metres: as `drawLamp` draws them. */
export function lampHeadsOf(street: Street): Vec3[] {
  const arm = ((street.roadHeadingDeg + 90) * Math.PI) / 180;
  return lampsOf(street).map(([x, y]) => [x + 1.55 * Math.sin(arm), y + 1.55 * Math.cos(arm), 7.6]);
}

function drawTree(pen: Pen, seed: number): number {
  const dice = diceOf(seed, 22);
  const crown = dice.between(1.2, 2);
  const middle = dice.between(3.6, 4.6);
  pen.rod([0, 0, 0], [0, 0, middle], dice.between(0.18, 0.3), [92, 78, 64]);
  const green: Rgb = [dice.between(52, 84), dice.between(86, 118), dice.between(44, 62)];
  for (let k = 0; k < 22; k++) {
    const t = dice.between(0, Math.PI * 2);
    const r = Math.sqrt(dice.next()) * crown * 0.75;
    const z = middle + dice.between(-0.7, 0.9) * crown * 0.7;
    const lit = 0.75 + 0.4 * (k / 22) + dice.between(-0.08, 0.08);
    pen.ball(
      [r * Math.cos(t), r * Math.sin(t), z],
      crown * dice.between(0.28, 0.45),
      [green[0] * lit, green[1] * lit, green[2] * lit],
      0.85,
    );
  }
  return crown;
}

function drawLamp(pen: Pen): number {
  pen.rod([0, 0, 0], [0, 0, 7.5], 0.14, [120, 122, 124]);
  pen.rod([0, 0, 7.4], [1.6, 0, 7.7], 0.09, [120, 122, 124]);
  pen.box([1.2, 1.9], [-0.12, 0.12], [7.6, 7.72], [206, 206, 200]);
  return 0;
}

/** Notes the outlines that a pen fills, so that a pasted prop can hide things in the same shape. */
class OutlineLog extends OwnerMask {
  outlines: { xs: number[]; ys: number[] }[] = [];
  override fill(xs: readonly number[], ys: readonly number[]): void {
    this.outlines.push({ xs: [...xs], ys: [...ys] });
  }
}

/** A tree right before the lens would hide what the camera is there to see; cities prune or move the camera. */
function blocksView(camera: Camera, plan: Plan): boolean {
  const away = Math.hypot(plan.xM - camera.eye[0], plan.yM - camera.eye[1]);
  return away < (plan.kind === 'tree' ? 15 : 9);
}

export function bakeProps(street: Street, camera: Camera): Prop[] {
  const props: Prop[] = [];
  for (const plan of planProps(street)) {
    if (blocksView(camera, plan)) continue;
    const farM = camera.view(plan.xM, plan.yM, 2)[2];
    if (farM < 1 || farM > 70) continue;
    const scratch = createCanvas(camera.widthPx, camera.heightPx);
    const log = new OutlineLog(camera.widthPx, camera.heightPx);
    const pen = new Pen(camera, scratch.getContext('2d'), log);
    pen.begin({ xM: plan.xM, yM: plan.yM, headingDeg: street.roadHeadingDeg + 90 }, 1, 0);
    const crownM = plan.kind === 'tree' ? drawTree(pen, plan.seed) : drawLamp(pen);
    const left = Math.max(0, Math.floor(pen.bounds[0]) - 1);
    const top = Math.max(0, Math.floor(pen.bounds[1]) - 1);
    const width = Math.min(camera.widthPx, Math.ceil(pen.bounds[2]) + 1) - left;
    const height = Math.min(camera.heightPx, Math.ceil(pen.bounds[3]) + 1) - top;
    if (width < 2 || height < 2) continue;
    const cutout = createCanvas(width, height);
    cutout.getContext('2d').drawImage(scratch, -left, -top);
    const { xM, yM } = plan;
    props.push({
      xM,
      yM,
      farM: Math.hypot(xM - camera.eye[0], yM - camera.eye[1]),
      cutout,
      leftPx: left,
      topPx: top,
      outlines: log.outlines,
      crownM,
    });
  }
  return props;
}

/** Dappled shade of the trees on the ground. */
export function drawTreeShade(pen: Pen, props: readonly Prop[], light: Light): void {
  if (light.shadow < 0.05) return;
  const away = ((light.sunHeadingDeg + 180) * Math.PI) / 180;
  for (const prop of props) {
    if (prop.crownM === 0) continue;
    const dice = diceOf(Math.round(prop.xM * 100), Math.round(prop.yM * 100), 23);
    const reach = 3.4;
    pen.begin({ xM: prop.xM + Math.sin(away) * reach, yM: prop.yM + Math.cos(away) * reach, headingDeg: 0 }, 1, 0);
    for (let k = 0; k < 9; k++) {
      const r = prop.crownM * dice.between(0.3, 0.6);
      pen.disc([dice.between(-1, 1) * prop.crownM * 0.8, dice.between(-1, 1) * prop.crownM * 0.8, 0], r, r, [20, 22, 30], {
        alpha: 0.2 * light.shadow,
        solid: false,
      });
    }
  }
}
