import {
  type CameraPose,
  OBJECT_SIZES,
  type ObjectKind,
  type Street,
  type StreetPlace,
  toEnu,
  toStreetPlace,
} from '../cameras/mod.ts';
import { cameraOf } from '../cameras/street/mod.ts';

/** [left, top, right, bottom], pixels, not clipped. */
export type Rect = readonly [number, number, number, number];

/** What a camera sees of its street: places to pixels and back. A pinhole over a flat street, as the renderer draws it. */
export interface StreetView {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Over the ground, from the camera's foot, metres. */
  distanceM(place: StreetPlace): number;
  /** The box around a thing that stands there, turned by `turnDeg` from the road's heading; null when part of it is behind the lens. */
  rectOf(kind: ObjectKind, place: StreetPlace, turnDeg?: number): Rect | null;
  /** The place under a pixel, or null above the horizon. */
  placeAt(xPx: number, yPx: number): StreetPlace | null;
}

export function streetView(street: Street, pose: CameraPose): StreetView {
  const camera = cameraOf(pose, street.originLon, street.originLat);
  const [eyeX, eyeY] = camera.eye;
  return {
    widthPx: pose.widthPx,
    heightPx: pose.heightPx,
    distanceM(place) {
      const { xM, yM } = toEnu(street, place);
      return Math.hypot(xM - eyeX, yM - eyeY);
    },
    rectOf(kind, { alongM, acrossM }, turnDeg = 0) {
      const { lengthM, widthM, heightM } = OBJECT_SIZES[kind];
      const turn = (turnDeg * Math.PI) / 180;
      const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
      const xs: number[] = [];
      const ys: number[] = [];
      for (const l of [-lengthM / 2, lengthM / 2])
        for (const w of [-widthM / 2, widthM / 2]) {
          const { xM, yM } = toEnu(street, { alongM: alongM + l * cos - w * sin, acrossM: acrossM + l * sin + w * cos });
          for (const z of [0, heightM]) {
            const pixel = camera.pixel(xM, yM, z);
            if (pixel === null) return null;
            xs.push(pixel[0]);
            ys.push(pixel[1]);
          }
        }
      return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    },
    placeAt(xPx, yPx) {
      const ground = camera.ground(xPx, yPx);
      return ground === null ? null : toStreetPlace(street, ...ground);
    },
  };
}

/** Whole in the picture, `marginPx` from its edges. */
export function inPicture({ widthPx, heightPx }: StreetView, [l, t, r, b]: Rect, marginPx: number): boolean {
  return l >= marginPx && t >= marginPx && r <= widthPx - marginPx && b <= heightPx - marginPx;
}

export function overlaps(a: Rect, b: Rect, gapPx: number): boolean {
  return a[0] - gapPx < b[2] && b[0] - gapPx < a[2] && a[1] - gapPx < b[3] && b[1] - gapPx < a[3];
}

export function apartM(a: StreetPlace, b: StreetPlace): number {
  return Math.hypot(a.alongM - b.alongM, a.acrossM - b.acrossM);
}
