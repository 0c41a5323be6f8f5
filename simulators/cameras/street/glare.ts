import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Light } from '../scene.ts';
import type { Camera } from './camera.ts';
import { css } from './shape.ts';

/** A sun that dazzles stands so high, degrees. */
const SUN_UP_DEG = 16;
/** Ghosts of the lens lie on the line from the sun through the middle of the picture, at so many times its length. */
const GHOSTS: readonly (readonly [along: number, size: number])[] = [
  [0.7, 0.05],
  [1.25, 0.035],
  [1.6, 0.09],
];

/** The sun in the lens: a veil that takes contrast away, burnt out around the sun, with ghosts; or its shine on the road. */
export function drawGlare(ctx: SKRSContext2D, camera: Camera, light: Light): void {
  const { glare = 0 } = light;
  if (glare <= 0.02) return;
  const { widthPx, heightPx } = camera;
  const [x, y, ahead] = sunPixel(camera, light.sunHeadingDeg);
  ctx.globalCompositeOperation = 'screen';
  ctx.fillStyle = css([255, 246, 228], 0.16 * glare);
  ctx.fillRect(0, 0, widthPx, heightPx);
  const radius = widthPx * (ahead ? 0.85 : 0.4);
  ctx.save();
  ctx.translate(x, y);
  // What the road throws back lies flat.
  if (!ahead) ctx.scale(1, 0.45);
  const veil = ctx.createRadialGradient(0, 0, 0, 0, 0, radius);
  veil.addColorStop(0, css([255, 250, 236], (ahead ? 0.98 : 0.75) * glare));
  veil.addColorStop(0.22, css([255, 244, 220], (ahead ? 0.6 : 0.42) * glare));
  veil.addColorStop(0.6, css([255, 238, 206], 0.16 * glare));
  veil.addColorStop(1, css([255, 236, 200], 0));
  ctx.fillStyle = veil;
  ctx.fillRect(-radius, -radius, 2 * radius, 2 * radius);
  ctx.restore();
  if (ahead) drawGhosts(ctx, camera, x, y, glare);
}

function drawGhosts(ctx: SKRSContext2D, { widthPx, heightPx }: Camera, x: number, y: number, glare: number): void {
  for (const [along, size] of GHOSTS) {
    ctx.fillStyle = css([250, 226, 190], 0.16 * glare);
    ctx.beginPath();
    ctx.arc(x + (widthPx / 2 - x) * along, y + (heightPx / 2 - y) * along, size * widthPx, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/** Where the sun is, held near the picture's upper edge; where it stands behind the lens, where the road shines. */
function sunPixel(camera: Camera, sunHeadingDeg: number): [xPx: number, yPx: number, ahead: boolean] {
  const { widthPx, heightPx, focalPx, forward, right } = camera;
  const [heading, up] = [(sunHeadingDeg * Math.PI) / 180, (SUN_UP_DEG * Math.PI) / 180];
  const [east, north] = [Math.sin(heading) * Math.cos(up), Math.cos(heading) * Math.cos(up)];
  const ahead = east * forward[0] + north * forward[1];
  const aside = east * right[0] + north * right[1];
  if (ahead < 0.3) return [widthPx * (0.5 - 0.3 * aside), heightPx * 0.62, false];
  const x = widthPx / 2 + (focalPx * aside) / ahead;
  return [Math.max(-0.1 * widthPx, Math.min(1.1 * widthPx, x)), -0.04 * heightPx, true];
}
