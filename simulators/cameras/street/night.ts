import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Light, SceneObject, Street } from '../scene.ts';
import { litBays } from './background.ts';
import { type Camera, NEAR_M, type Vec3 } from './camera.ts';
import type { Pen } from './pen.ts';
import { css, type Local, type Rgb } from './shape.ts';

const WHITE_LAMP: Rgb = [255, 246, 222];
const TAIL_LAMP: Rgb = [255, 60, 40];
const SHOP: Rgb = [214, 190, 150];
/** Headlights reach so far over the road, metres, in steps that fade. */
const BEAM: readonly (readonly [reachM: number, halfM: number, share: number])[] = [
  [4, 1.3, 0.4],
  [8, 1.9, 0.32],
  [14, 2.6, 0.22],
];

/** 0 by day .. 1 in full darkness: how much of artificial light is seen. */
export function darkness(daylight: number): number {
  return Math.max(0, 1 - daylight / 0.45);
}

/** Shop windows that shine, and what they throw on the pavement; into the light map, whose mode adds. */
export function lightShops(pen: Pen, street: Street, dark: number): void {
  const heading = (street.roadHeadingDeg * Math.PI) / 180;
  const { roadOffsetM, roadHeadingDeg } = street;
  const at = { xM: roadOffsetM * Math.cos(heading), yM: -roadOffsetM * Math.sin(heading), headingDeg: roadHeadingDeg };
  pen.begin(at, 0, 0);
  for (const { fromM, toM, acrossM } of litBays(street)) {
    const pavement = acrossM - Math.sign(acrossM) * 3;
    const quad = (corners: readonly Local[], alpha: number) => pen.polygon(corners, SHOP, { alpha: alpha * dark, solid: false });
    quad(
      [
        [fromM, acrossM, 0.2],
        [toM, acrossM, 0.2],
        [toM, acrossM, 2.6],
        [fromM, acrossM, 2.6],
      ],
      0.85,
    );
    quad(
      [
        [fromM, acrossM, 0],
        [toM, acrossM, 0],
        [toM + 0.8, pavement, 0],
        [fromM - 0.8, pavement, 0],
      ],
      0.22,
    );
  }
}

/** What the headlights of the vehicles reach; into the light map, whose mode adds. */
export function lightRoad(pen: Pen, objects: readonly SceneObject[], dark: number): void {
  for (const object of objects) {
    if (!burns(object)) continue;
    pen.begin(object, 0, 0);
    const [front, half] = [object.lengthM / 2, object.widthM / 2];
    for (const [reach, halfM, share] of BEAM)
      pen.polygon(
        [
          [front, -half * 0.7, 0],
          [front + reach, -halfM, 0],
          [front + reach * 1.06, 0, 0],
          [front + reach, halfM, 0],
          [front, half * 0.7, 0],
        ],
        [230, 220, 196],
        { alpha: share * dark, solid: false },
      );
  }
}

/** Lamps that the lens looks into: those of vehicles where nothing stands before them, and the heads of street lamps. */
export function drawLamps(
  pen: Pen,
  objects: readonly SceneObject[],
  heads: readonly Vec3[],
  light: Light,
  isOnTop: (index: number, xPx: number, yPx: number) => boolean,
): void {
  const dark = darkness(light.daylight);
  const { ctx, camera } = pen;
  ctx.globalCompositeOperation = 'lighter';
  for (const [x, y, z] of heads) glow(ctx, camera, [x, y, z], 0.5, WHITE_LAMP, 0.8 * dark, 0);
  for (const [index, object] of objects.entries()) {
    if (!burns(object)) continue;
    pen.begin(object, 0, 0);
    const eye = pen.eye();
    const [l, w] = [object.lengthM / 2, object.widthM * 0.39];
    const z = object.heightM * 0.42;
    for (const end of [1, -1]) {
      if (end * eye[0] < l) continue;
      for (const side of [-1, 1]) {
        const point = pen.world([end * (l + 0.02), side * w, z]);
        const at = camera.pixel(...point);
        if (at === null || !isOnTop(index, ...at)) continue;
        glow(ctx, camera, point, end === 1 ? 0.55 : 0.28, end === 1 ? WHITE_LAMP : TAIL_LAMP, dark, light.rain);
      }
    }
  }
}

const burns = (object: SceneObject): boolean => object.kind === 'vehicle' && object.lamps === true;

/** A bright spot with its halo; on a wet road it draws a streak towards the lens. */
function glow(ctx: SKRSContext2D, camera: Camera, at: Vec3, radiusM: number, colour: Rgb, alpha: number, wet: number): void {
  const far = camera.view(...at)[2];
  const pixel = far > NEAR_M ? camera.pixel(...at) : null;
  if (pixel === null) return;
  const radius = Math.max(2.5, (camera.focalPx * radiusM) / far);
  const halo = ctx.createRadialGradient(0, 0, 0, 0, 0, radius);
  halo.addColorStop(0, css(colour, alpha));
  halo.addColorStop(0.25, css(colour, alpha * 0.55));
  halo.addColorStop(1, css(colour, 0));
  for (const [down, stretch, share] of wet > 0.1
    ? ([
        [0, 1, 1],
        [radius * 3.2, 3, 0.4 * wet],
      ] as const)
    : ([[0, 1, 1]] as const)) {
    ctx.save();
    ctx.globalAlpha = share;
    ctx.translate(pixel[0], pixel[1] + down);
    ctx.scale(1, stretch);
    ctx.fillStyle = halo;
    ctx.fillRect(-radius, -radius, 2 * radius, 2 * radius);
    ctx.restore();
  }
}
