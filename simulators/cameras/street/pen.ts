import type { SKRSContext2D } from '@napi-rs/canvas';
import type { SceneObject } from '../scene.ts';
import { type Camera, NEAR_M, type Vec3 } from './camera.ts';
import type { OwnerMask } from './mask.ts';
import { type Bounds, type CanvasGradient, clipNear, css, type Local, type Rgb, ring } from './shape.ts';

export interface Finish {
  /** 0..1; glass and shadows let the ground through. */
  alpha?: number;
  /** Part of the thing itself (default). Shadows and damp rims are not: they stay out of the box and hide nothing. */
  solid?: boolean;
  /** Already lit: no shading by face. */
  flat?: boolean;
}

/**
 * Draws one thing at a time in its own metres. It projects, clips at the lens, fills, and remembers what it touched:
 * the bounds (truth box) and the mask (who hides whom).
 */
export class Pen {
  readonly camera: Camera;
  readonly ctx: SKRSContext2D;
  readonly mask: OwnerMask;
  bounds: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  #origin: Vec3 = [0, 0, 0];
  #sin = 0;
  #cos = 1;
  #sun: Vec3 = [0, 0, 1];
  #distanceM = 1;
  #parts: { far: number; draw: () => void }[] = [];

  constructor(camera: Camera, ctx: SKRSContext2D, mask: OwnerMask) {
    this.camera = camera;
    this.ctx = ctx;
    this.mask = mask;
  }

  /** Pixels that one metre at the thing's place takes across the line of sight. */
  get pxPerM(): number {
    return this.camera.focalPx / this.#distanceM;
  }

  /** Moves the pen to a thing. Solid fills from here on belong to `owner`. */
  begin(at: Pick<SceneObject, 'xM' | 'yM' | 'headingDeg'>, owner: number, sunHeadingDeg: number): void {
    const heading = (at.headingDeg * Math.PI) / 180;
    this.#origin = [at.xM, at.yM, 0];
    this.#sin = Math.sin(heading);
    this.#cos = Math.cos(heading);
    const sun = ((sunHeadingDeg - at.headingDeg) * Math.PI) / 180;
    this.#sun = [Math.cos(sun), Math.sin(sun), 1];
    this.bounds = [Infinity, Infinity, -Infinity, -Infinity];
    this.#distanceM = Math.max(NEAR_M, Math.hypot(...this.eye()));
    this.mask.begin(owner);
  }

  /** World metres of a local point. */
  world([l, w, z]: Local): Vec3 {
    return [this.#origin[0] + l * this.#sin + w * this.#cos, this.#origin[1] + l * this.#cos - w * this.#sin, z];
  }

  /** The lens in local metres. */
  eye(): Local {
    const [x, y, z] = this.camera.eye;
    const dx = x - this.#origin[0];
    const dy = y - this.#origin[1];
    return [dx * this.#sin + dy * this.#cos, dx * this.#cos - dy * this.#sin, z];
  }

  /** Queues one convex part; `flush` draws parts from far to near. */
  part(l: number, w: number, z: number, draw: () => void): void {
    const eye = this.eye();
    this.#parts.push({ far: Math.hypot(eye[0] - l, eye[1] - w, eye[2] - z), draw });
  }

  flush(): void {
    const parts = this.#parts.sort((a, b) => b.far - a.far);
    this.#parts = [];
    for (const part of parts) part.draw();
  }

  /** Fills a polygon of local points. */
  polygon(points: readonly Local[], colour: Rgb, finish: Finish = {}): void {
    const views = points.map((point) => this.camera.view(...this.world(point)));
    this.#fill(clipNear(views), css(colour, finish.alpha ?? 1), finish.solid ?? true);
  }

  /** Fills a shape that always faces the lens: offsets to the right and up from a local anchor, metres. */
  sprite(anchor: Local, offsets: readonly (readonly [number, number])[], colour: Rgb, finish: Finish = {}): void {
    const [r, u, f] = this.camera.view(...this.world(anchor));
    if (f < NEAR_M) return;
    this.#fill(
      offsets.map(([dr, du]): Vec3 => [r + dr, u + du, f]),
      css(colour, finish.alpha ?? 1),
      finish.solid ?? true,
    );
  }

  /** A ball seen from anywhere. */
  ball(at: Local, radius: number, colour: Rgb, squash = 1): void {
    this.sprite(at, ring(12, radius, radius * squash), colour);
  }

  /** Light of a face by its local normal: top bright, the sun's side brighter than the other. */
  shade(colour: Rgb, normal: Local): Rgb {
    const lit = normal[2] > 0.5 ? 1.06 : 0.78 + 0.14 * (normal[0] * this.#sun[0] + normal[1] * this.#sun[1]);
    return [colour[0] * lit, colour[1] * lit, colour[2] * lit];
  }

  /** A box; the top may be smaller than the bottom (roofs, heaps). Only the faces that the lens sees are drawn. */
  box(
    l: readonly [number, number],
    w: readonly [number, number],
    z: readonly [number, number],
    colour: Rgb,
    inset = 0,
    insetW = inset,
  ): void {
    const [l0, l1] = l;
    const [w0, w1] = w;
    const [z0, z1] = z;
    const eye = this.eye();
    const [a0, a1, b0, b1] = [l0 + inset, l1 - inset, w0 + insetW, w1 - insetW];
    const side = (seen: boolean, normal: Local, points: readonly Local[]): void => {
      if (seen) this.polygon(points, this.shade(colour, normal));
    };
    side(
      eye[0] < l0,
      [-1, 0, 0],
      [
        [l0, w0, z0],
        [l0, w1, z0],
        [a0, b1, z1],
        [a0, b0, z1],
      ],
    );
    side(
      eye[0] > l1,
      [1, 0, 0],
      [
        [l1, w0, z0],
        [l1, w1, z0],
        [a1, b1, z1],
        [a1, b0, z1],
      ],
    );
    side(
      eye[1] < w0,
      [0, -1, 0],
      [
        [l0, w0, z0],
        [l1, w0, z0],
        [a1, b0, z1],
        [a0, b0, z1],
      ],
    );
    side(
      eye[1] > w1,
      [0, 1, 0],
      [
        [l0, w1, z0],
        [l1, w1, z0],
        [a1, b1, z1],
        [a0, b1, z1],
      ],
    );
    side(
      eye[2] > z1,
      [0, 0, 1],
      [
        [a0, b0, z1],
        [a1, b0, z1],
        [a1, b1, z1],
        [a0, b1, z1],
      ],
    );
  }

  /** A horizontal disc (ellipse with radii along and across), with no more corners than its size in pixels shows. */
  disc(at: Local, radiusL: number, radiusW: number, colour: Rgb, finish: Finish = {}): void {
    const sizePx = this.pxPerM * Math.max(radiusL, radiusW);
    this.polygon(
      ring(sizePx < 2.5 ? 6 : sizePx < 6 ? 10 : 18, radiusL, radiusW).map(([l, w]): Local => [at[0] + l, at[1] + w, at[2]]),
      colour,
      finish,
    );
  }

  /** An upright cylinder or cone frustum, as the hull of its two rims plus the top disc. */
  cylinder(
    l: number,
    w: number,
    z: readonly [number, number],
    radius: number,
    topRadius: number,
    colour: Rgb,
    top: Rgb = colour,
  ): void {
    const eye = this.eye();
    const toward = Math.atan2(eye[1] - w, eye[0] - l);
    const strips = 4;
    for (let k = 0; k < strips; k++) {
      const a = toward - Math.PI / 2 + (Math.PI * k) / strips;
      const b = a + Math.PI / strips;
      const middle = (a + b) / 2;
      this.polygon(
        [
          [l + radius * Math.cos(a), w + radius * Math.sin(a), z[0]],
          [l + radius * Math.cos(b), w + radius * Math.sin(b), z[0]],
          [l + topRadius * Math.cos(b), w + topRadius * Math.sin(b), z[1]],
          [l + topRadius * Math.cos(a), w + topRadius * Math.sin(a), z[1]],
        ],
        this.shade(colour, [Math.cos(middle), Math.sin(middle), 0]),
      );
    }
    if (eye[2] > z[1]) this.disc([l, w, z[1]], topRadius, topRadius, this.shade(top, [0, 0, 1]));
  }

  /** A thin straight thing between two points, `thickM` across. */
  rod(from: Local, to: Local, thickM: number, colour: Rgb): void {
    const a = this.camera.view(...this.world(from));
    const b = this.camera.view(...this.world(to));
    const dr = b[0] / b[2] - a[0] / a[2];
    const du = b[1] / b[2] - a[1] / a[2];
    const norm = Math.hypot(dr, du) || 1;
    const [r, u] = [(-du / norm) * (thickM / 2), (dr / norm) * (thickM / 2)];
    this.#fill(
      clipNear([
        [a[0] - r, a[1] - u, a[2]],
        [a[0] + r, a[1] + u, a[2]],
        [b[0] + r, b[1] + u, b[2]],
        [b[0] - r, b[1] - u, b[2]],
      ]),
      css(colour, 1),
      true,
    );
  }

  /** Fills the local polygon with a style instead of a colour: reflections. */
  styled(points: readonly Local[], style: string | CanvasGradient): void {
    this.#fill(clipNear(points.map((point) => this.camera.view(...this.world(point)))), style, true);
  }

  #fill(views: readonly Vec3[], style: string | CanvasGradient, solid: boolean): void {
    if (views.length < 3) return;
    const { focalPx, widthPx, heightPx } = this.camera;
    const xs: number[] = [];
    const ys: number[] = [];
    this.ctx.beginPath();
    for (const [r, u, f] of views) {
      const x = widthPx / 2 + (focalPx * r) / f;
      const y = heightPx / 2 - (focalPx * u) / f;
      if (xs.length === 0) this.ctx.moveTo(x, y);
      else this.ctx.lineTo(x, y);
      xs.push(x);
      ys.push(y);
    }
    this.ctx.closePath();
    this.ctx.fillStyle = style;
    this.ctx.fill();
    if (!solid) return;
    for (const x of xs) {
      if (x < this.bounds[0]) this.bounds[0] = x;
      if (x > this.bounds[2]) this.bounds[2] = x;
    }
    for (const y of ys) {
      if (y < this.bounds[1]) this.bounds[1] = y;
      if (y > this.bounds[3]) this.bounds[3] = y;
    }
    this.mask.fill(xs, ys);
  }
}
