import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import {
  type CameraPose,
  DETECTION_CLASSES,
  type DetectionClass,
  type Light,
  type Picture,
  type Scene,
  type SceneObject,
  type Street,
  type StreetRenderer,
  type TruthBox,
} from '../scene.ts';
import { drawBackground } from './background.ts';
import { type Camera, cameraOf, NEAR_M, toLocal, toWgs84, type Vec3 } from './camera.ts';
import { drawGlare } from './glare.ts';
import { addGrain, drawLightMap, drawRain } from './light.ts';
import { OwnerMask } from './mask.ts';
import { darkness, drawLamps, lightRoad } from './night.ts';
import { Pen } from './pen.ts';
import { bakeProps, drawTreeShade, lampHeadsOf, lampsOf, type Prop } from './props.ts';
import { drawSwayed, type Sway, swayedBox, swayOf } from './shake.ts';
import type { Bounds, Local } from './shape.ts';
import { applyStyle } from './style.ts';
import { DRAWINGS, FLAT_KINDS } from './things/mod.ts';

/** Less of a thing than this cannot be seen by anyone: it is left out of the truth (people stay in: they are masked). */
const VISIBLE_MIN = 0.03;
/** Props own numbers above every object's. */
const PROP_OWNER = 20_000;

/**
 * Draws one street for one camera.
 *
 *   backdrop (kept) -> flat things -> shadows -> standing things and props, far to near
 *                   -> rain -> x light map (kept; headlights each time) -> lamps -> glare -> sway -> grain -> style
 *
 * The same street, pose and scene give the same bytes. 2-5 ms a picture at 640 x 360.
 */
export function createStreetRenderer(street: Street, pose: CameraPose): StreetRenderer {
  return new DrawnStreet(street, pose);
}

class DrawnStreet implements StreetRenderer {
  readonly pose: CameraPose;
  readonly #street: Street;
  readonly #camera: Camera;
  readonly #ctx: SKRSContext2D;
  readonly #mask: OwnerMask;
  readonly #pen: Pen;
  readonly #props: Prop[];
  readonly #lamps: Vec3[];
  readonly #lampHeads: Vec3[];
  /** Pen of a second canvas: the light map with headlights, then the picture of a swaying camera. */
  readonly #second: Pen;
  readonly #grounds = new Map<number, Canvas>();
  #backdrop: { key: string; canvas: Canvas } | null = null;
  #lightMap: { key: string; canvas: Canvas } | null = null;

  constructor(street: Street, pose: CameraPose) {
    this.pose = pose;
    this.#street = street;
    this.#camera = cameraOf(pose, street.originLon, street.originLat);
    this.#ctx = createCanvas(pose.widthPx, pose.heightPx).getContext('2d');
    this.#mask = new OwnerMask(pose.widthPx, pose.heightPx);
    this.#pen = new Pen(this.#camera, this.#ctx, this.#mask);
    this.#props = bakeProps(street, this.#camera);
    this.#lamps = lampsOf(street);
    this.#lampHeads = lampHeadsOf(street);
    this.#second = new Pen(this.#camera, createCanvas(pose.widthPx, pose.heightPx).getContext('2d'), this.#mask);
  }

  project(lon: number, lat: number): { xPx: number; yPx: number } | null {
    const [xM, yM] = toLocal(lon, lat, this.#street.originLon, this.#street.originLat);
    const at = this.#camera.pixel(xM, yM, 0);
    return at === null ? null : { xPx: at[0], yPx: at[1] };
  }

  render(scene: Scene): Picture {
    const { widthPx, heightPx } = this.pose;
    const { light } = scene;
    const ctx = this.#ctx;
    this.#mask.clear();
    ctx.globalCompositeOperation = 'source-over';
    ctx.drawImage(this.#backdropFor(light), 0, 0);
    const bounds = this.#drawThings(scene);
    drawRain(ctx, this.#camera, light.rain, scene.ts);
    this.#light(scene);
    drawGlare(ctx, this.#camera, light);
    const sway = (light.wind ?? 0) > 0 ? swayOf(light.wind ?? 0, scene.ts) : null;
    const shown = sway === null ? ctx : this.#second.ctx;
    if (sway !== null) drawSwayed(shown, ctx.canvas, sway);
    const { data } = shown.getImageData(0, 0, widthPx, heightPx);
    addGrain(data, light, scene.ts);
    const { style, seed } = this.#street;
    if (style !== undefined) applyStyle(data, this.pose, style, seed);
    const rgba = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { widthPx, heightPx, rgba, truth: this.#truthOf(scene.objects, bounds, sway) };
  }

  /** From flat midday light to what there is, and the lamps that burn. */
  #light({ light, objects }: Scene): void {
    if (light.daylight >= 0.995) return;
    const ctx = this.#ctx;
    const dark = darkness(light.daylight);
    let map = this.#lightMapFor(light);
    if (dark > 0 && objects.some((o) => o.lamps)) {
      const second = this.#second;
      second.ctx.globalCompositeOperation = 'source-over';
      second.ctx.drawImage(map, 0, 0);
      second.ctx.globalCompositeOperation = 'lighter';
      lightRoad(second, objects, dark);
      map = second.ctx.canvas;
    }
    ctx.globalCompositeOperation = 'multiply';
    ctx.drawImage(map, 0, 0);
    if (dark > 0)
      drawLamps(this.#pen, objects, this.#lampHeads, light, (index, xPx, yPx) => this.#mask.ownerAt(xPx, yPx) === index + 1);
  }

  #drawThings(scene: Scene): Bounds[] {
    const pen = this.#pen;
    const { light, objects } = scene;
    const bounds: Bounds[] = objects.map(() => [Infinity, Infinity, -Infinity, -Infinity]);
    const [ex, ey] = this.#camera.eye;
    const far = (thing: { xM: number; yM: number }): number => Math.hypot(thing.xM - ex, thing.yM - ey);
    const inView = objects
      .map((object, index) => ({ object, index, far: far(object) }))
      .filter(({ object }) => this.#camera.view(object.xM, object.yM, 0)[2] > NEAR_M - object.lengthM)
      .sort((a, b) => b.far - a.far);
    const draw = (object: SceneObject, index: number): void => {
      pen.begin(object, index + 1, light.sunHeadingDeg);
      DRAWINGS[object.kind](pen, object);
      pen.flush();
      bounds[index] = pen.bounds;
    };
    for (const { object, index } of inView) if (FLAT_KINDS.has(object.kind)) draw(object, index);
    const standing = inView.filter(({ object }) => !FLAT_KINDS.has(object.kind));
    for (const { object } of standing) {
      pen.begin(object, 0, light.sunHeadingDeg);
      drawShadow(pen, object, light);
    }
    const queue = [
      ...standing.map((entry) => ({ far: entry.far, paint: () => draw(entry.object, entry.index) })),
      ...this.#props.map((prop, k) => ({ far: prop.farM, paint: () => this.#paste(prop, PROP_OWNER + k) })),
    ].sort((a, b) => b.far - a.far);
    for (const entry of queue) entry.paint();
    return bounds;
  }

  #paste(prop: Prop, owner: number): void {
    this.#ctx.drawImage(prop.cutout, prop.leftPx, prop.topPx);
    this.#mask.begin(owner);
    for (const outline of prop.outlines) this.#mask.fill(outline.xs, outline.ys);
  }

  #truthOf(objects: readonly SceneObject[], bounds: readonly Bounds[], sway: Sway | null): TruthBox[] {
    const { widthPx, heightPx } = this.pose;
    const truth: TruthBox[] = [];
    objects.forEach((object, index) => {
      if (!isDetectionClass(object.kind)) return;
      const still = bounds[index] as Bounds;
      const [left, top, right, bottom] = sway === null ? still : swayedBox(still, sway, widthPx, heightPx);
      const box: Bounds = [Math.max(0, left), Math.max(0, top), Math.min(widthPx, right), Math.min(heightPx, bottom)];
      const [width, height] = [box[2] - box[0], box[3] - box[1]];
      if (!(width > 1 && height > 1)) return;
      const inPicture = (width * height) / ((right - left) * (bottom - top));
      const visible = inPicture * this.#mask.shareLeft(index + 1);
      if (visible < VISIBLE_MIN && object.kind !== 'person') return;
      const [lon, lat] = toWgs84(object.xM, object.yM, this.#street.originLon, this.#street.originLat);
      truth.push({ id: object.id, class: object.kind, box, visible, lon, lat });
    });
    return truth;
  }

  #backdropFor(light: Light): Canvas {
    const wet = Math.round(light.rain * 2) / 2;
    const shadow = Math.round(light.shadow * 8) / 8;
    const sun = Math.round(light.sunHeadingDeg / 5) * 5;
    const key = `${wet} ${shadow} ${sun}`;
    if (this.#backdrop?.key === key) return this.#backdrop.canvas;
    const canvas = createCanvas(this.pose.widthPx, this.pose.heightPx);
    const ctx = canvas.getContext('2d');
    ctx.drawImage(this.#groundFor(wet), 0, 0);
    drawTreeShade(new Pen(this.#camera, ctx, this.#mask), this.#props, { ...light, shadow, sunHeadingDeg: sun });
    this.#backdrop = { key, canvas };
    return canvas;
  }

  #groundFor(wet: number): Canvas {
    const kept = this.#grounds.get(wet);
    if (kept !== undefined) return kept;
    const canvas = createCanvas(this.pose.widthPx, this.pose.heightPx);
    const ctx = canvas.getContext('2d');
    const image = ctx.createImageData(this.pose.widthPx, this.pose.heightPx);
    image.data.set(drawBackground(this.#street, this.#camera, wet));
    ctx.putImageData(image, 0, 0);
    this.#grounds.set(wet, canvas);
    return canvas;
  }

  #lightMapFor(light: Light): Canvas {
    const daylight = Math.round(light.daylight * 100) / 100;
    const key = String(daylight);
    if (this.#lightMap?.key !== key)
      this.#lightMap = { key, canvas: drawLightMap({ ...light, daylight }, this.#camera, this.#street, this.#lamps) };
    return this.#lightMap.canvas;
  }
}

/** Contact shadow, and the sun's shadow of a box as high as the thing. The sun stands about 50 degrees high. */
function drawShadow(pen: Pen, object: SceneObject, light: Light): void {
  const slim = object.kind === 'person' || object.kind === 'parasol' ? 0.35 : 1;
  const [l, w] = [(object.lengthM / 2) * slim, (object.widthM / 2) * slim];
  pen.disc([0, 0, 0], l * 1.25 + 0.05, w * 1.25 + 0.05, [16, 16, 18], { alpha: 0.28, solid: false });
  if (light.shadow < 0.05) return;
  const away = ((light.sunHeadingDeg + 180 - object.headingDeg) * Math.PI) / 180;
  const reach = Math.min(2.4, object.heightM) * 0.84;
  const [dl, dw] = [Math.cos(away) * reach, Math.sin(away) * reach];
  const corners: Local[] = [];
  for (const [cl, cw] of [
    [-l, -w],
    [-l, w],
    [l, -w],
    [l, w],
  ] as const) {
    corners.push([cl, cw, 0], [cl + dl, cw + dw, 0]);
  }
  pen.polygon(hull(corners), [14, 14, 20], { alpha: 0.42 * light.shadow, solid: false });
}

/** Convex hull on the ground (monotone chain). */
function hull(points: readonly Local[]): Local[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turn = (o: Local, a: Local, b: Local): number => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const chain = (list: readonly Local[]): Local[] => {
    const kept: Local[] = [];
    for (const point of list) {
      while (kept.length > 1 && turn(kept[kept.length - 2] as Local, kept[kept.length - 1] as Local, point) <= 0) kept.pop();
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return [...chain(sorted), ...chain(sorted.reverse())];
}

function isDetectionClass(kind: string): kind is DetectionClass {
  return (DETECTION_CLASSES as readonly string[]).includes(kind);
}
