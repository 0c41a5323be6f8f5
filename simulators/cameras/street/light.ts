import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import type { Light, Street } from '../scene.ts';
import type { Camera, Vec3 } from './camera.ts';
import { OwnerMask } from './mask.ts';
import { darkness, lightShops } from './night.ts';
import { Pen } from './pen.ts';
import { diceOf, hash } from './seed.ts';
import { css } from './shape.ts';

/** Colour of the ambient light, 0..1 per channel, at some shares of daylight: night, dusk, an overcast afternoon, noon. */
const AMBIENT: readonly (readonly [daylight: number, r: number, g: number, b: number])[] = [
  // Cameras lengthen their exposure at night: a street without lamps is dark, not black.
  [0, 0.32, 0.33, 0.41],
  [0.35, 0.66, 0.56, 0.54],
  [0.7, 0.9, 0.87, 0.84],
  [1, 1, 1, 1],
];

function ambientOf(daylight: number): [number, number, number] {
  for (let k = 1; k < AMBIENT.length; k++) {
    const [d0, r0, g0, b0] = AMBIENT[k - 1] as (typeof AMBIENT)[number];
    const [d1, r1, g1, b1] = AMBIENT[k] as (typeof AMBIENT)[number];
    if (daylight > d1 && k < AMBIENT.length - 1) continue;
    const t = Math.max(0, Math.min(1, (daylight - d0) / (d1 - d0)));
    return [r0 + (r1 - r0) * t, g0 + (g1 - g0) * t, b0 + (b1 - b0) * t];
  }
  return [1, 1, 1];
}

/** What the whole picture is multiplied with: ambient light, and when it is dark pools of lamp light and lit shops. */
export function drawLightMap(light: Light, camera: Camera, street: Street, lamps: readonly Vec3[]): Canvas {
  const canvas = createCanvas(camera.widthPx, camera.heightPx);
  const ctx = canvas.getContext('2d');
  const [r, g, b] = ambientOf(light.daylight);
  ctx.fillStyle = css([r * 255, g * 255, b * 255], 1);
  ctx.fillRect(0, 0, camera.widthPx, camera.heightPx);
  const glow = darkness(light.daylight);
  if (glow === 0) return canvas;
  ctx.globalCompositeOperation = 'lighter';
  for (const lamp of lamps) {
    const at = camera.pixel(lamp[0], lamp[1], 0);
    const [, , far] = camera.view(lamp[0], lamp[1], 0);
    if (at === null) continue;
    const radius = (camera.focalPx * 9) / far;
    const flat = Math.max(0.25, camera.eye[2] / Math.hypot(far, camera.eye[2]));
    ctx.save();
    ctx.translate(at[0], at[1]);
    ctx.scale(1, flat * 1.4);
    const pool = ctx.createRadialGradient(0, 0, 0, 0, 0, radius);
    pool.addColorStop(0, css([215, 185, 135], 0.75 * glow));
    pool.addColorStop(0.5, css([180, 150, 110], 0.32 * glow));
    pool.addColorStop(1, css([120, 100, 80], 0));
    ctx.fillStyle = pool;
    ctx.fillRect(-radius, -radius, 2 * radius, 2 * radius);
    ctx.restore();
  }
  lightShops(new Pen(camera, ctx, new OwnerMask(camera.widthPx, camera.heightPx)), street, glow);
  return canvas;
}

/** Veil and streaks of rain; `ts` chooses the streaks. */
export function drawRain(ctx: SKRSContext2D, camera: Camera, rain: number, ts: number): void {
  if (rain <= 0.02) return;
  ctx.fillStyle = css([158, 163, 170], 0.26 * rain);
  ctx.fillRect(0, 0, camera.widthPx, camera.heightPx);
  const dice = diceOf(ts, Math.floor(ts / 65_536), 71);
  ctx.strokeStyle = css([216, 220, 226], 0.3);
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let k = 0; k < 90 * rain; k++) {
    const x = dice.between(-10, camera.widthPx);
    const y = dice.between(-20, camera.heightPx);
    const length = dice.between(8, 22);
    ctx.moveTo(x, y);
    ctx.lineTo(x + length * 0.18, y + length);
  }
  ctx.stroke();
}

const GRAIN_LENGTH = 1 << 16;
/** Roughly normal deviates, unit spread x 64, reused from another start in every picture. */
const GRAIN = Int16Array.from({ length: GRAIN_LENGTH }, (_, k) => {
  const sum = (hash(1, k, 72) % 1024) + (hash(2, k, 72) % 1024) + (hash(3, k, 72) % 1024);
  return Math.round((sum / 1024 - 1.5) * 2 * 64);
});
/** The same scaled to grey levels, one table per gain in use. */
const scaledGrain = new Map<number, Int8Array>();

function grainOf(gain: number): Int8Array {
  const kept = scaledGrain.get(gain);
  if (kept !== undefined) return kept;
  const table = Int8Array.from(GRAIN, (value) => (value * gain) >> 10);
  scaledGrain.set(gain, table);
  return table;
}

/** In the dark the gain shows colour noise as well, grey levels; red and blue read the table elsewhere. */
const COLOUR_GRAIN = 3.5;
const RED_SHIFT = 21_011;
const BLUE_SHIFT = 43_787;

/** Sensor noise in place: the same for the three channels of a pixel by day, stronger and coloured in the dark. */
export function addGrain(rgba: Uint8ClampedArray, light: Light, ts: number): void {
  const grain = grainOf(Math.round((1.6 + 4.5 * (1 - light.daylight)) * 16));
  const colour = grainOf(Math.round(COLOUR_GRAIN * darkness(light.daylight) * 16));
  let at = hash(ts, Math.floor(ts / 4_294_967_296), 73) % GRAIN_LENGTH;
  for (let i = 0; i < rgba.length; i += 4) {
    const n = grain[at] as number;
    at = (at + 1) & (GRAIN_LENGTH - 1);
    // The array clamps to 0..255.
    rgba[i] = (rgba[i] as number) + n + (colour[(at + RED_SHIFT) & (GRAIN_LENGTH - 1)] as number);
    rgba[i + 1] = (rgba[i + 1] as number) + n;
    rgba[i + 2] = (rgba[i + 2] as number) + n + (colour[(at + BLUE_SHIFT) & (GRAIN_LENGTH - 1)] as number);
  }
}
