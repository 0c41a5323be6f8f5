import type { SKRSContext2D } from '@napi-rs/canvas';
import { NEAR_M, type Vec3 } from './camera.ts';

export type Rgb = readonly [number, number, number];
/** Point in a thing's own metres: along its length, to its right, above the ground. */
export type Local = readonly [l: number, w: number, z: number];
/** Pixels [left, top, right, bottom], not clipped. */
export type Bounds = [number, number, number, number];
export type CanvasGradient = ReturnType<SKRSContext2D['createLinearGradient']>;

export function css([r, g, b]: Rgb, alpha: number): string {
  const byte = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));
  return alpha >= 1 ? `rgb(${byte(r)},${byte(g)},${byte(b)})` : `rgba(${byte(r)},${byte(g)},${byte(b)},${alpha.toFixed(3)})`;
}

/** Corners of an ellipse around 0, 0. */
export function ring(corners: number, radiusA: number, radiusB: number): [number, number][] {
  return Array.from({ length: corners }, (_, k) => {
    const t = (2 * Math.PI * k) / corners;
    return [radiusA * Math.cos(t), radiusB * Math.sin(t)];
  });
}

/** The part of a polygon (right, up, forward) before the lens: Sutherland-Hodgman against the plane before the lens. */
export function clipNear(views: readonly Vec3[]): readonly Vec3[] {
  if (views.every((v) => v[2] >= NEAR_M)) return views;
  const kept: Vec3[] = [];
  for (let k = 0; k < views.length; k++) {
    const a = views[k] as Vec3;
    const b = views[(k + 1) % views.length] as Vec3;
    if (a[2] >= NEAR_M) kept.push(a);
    if (a[2] >= NEAR_M !== b[2] >= NEAR_M) {
      const t = (NEAR_M - a[2]) / (b[2] - a[2]);
      kept.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), NEAR_M]);
    }
  }
  return kept;
}
