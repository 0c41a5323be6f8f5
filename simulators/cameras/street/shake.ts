import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import type { Bounds } from './shape.ts';

/** What a strong wind does to the picture of a camera on a pole: so far to each side, and so much of a turn. */
const SWAY_PX = 6;
const ROLL_RAD = 0.006;
/** A pole bends about once in two seconds and trembles several times a second; a shutter is open for so long. */
const BEND_MS = 1_900;
const TREMBLE_MS = 230;
const SHUTTER_MS = 30;
/** Less is not worth drawing twice. */
const BLUR_PX_MIN = 0.6;

/** How the picture lies, against that of a still camera: moved, turned about its middle, smeared along its movement. */
export interface Sway {
  xPx: number;
  yPx: number;
  rollRad: number;
  /** From the shutter's opening to its closing. */
  smearPx: readonly [number, number];
}

const wave = (ts: number, periodMs: number, phase: number): number =>
  Math.sin((2 * Math.PI * (ts % (periodMs * 997))) / periodMs + phase);

function offset(wind: number, ts: number): [xPx: number, yPx: number] {
  const far = SWAY_PX * wind;
  return [
    far * (0.7 * wave(ts, BEND_MS, 0.3) + 0.3 * wave(ts, TREMBLE_MS, 1.1)),
    far * (0.4 * wave(ts, BEND_MS * 1.37, 2) + 0.25 * wave(ts, TREMBLE_MS * 0.83, 0.6)),
  ];
}

/** The same time, the same sway. */
export function swayOf(wind: number, ts: number): Sway {
  const [xPx, yPx] = offset(wind, ts);
  const [x0, y0] = offset(wind, ts - SHUTTER_MS);
  return { xPx, yPx, rollRad: ROLL_RAD * wind * wave(ts, BEND_MS * 1.21, 4), smearPx: [x0 - xPx, y0 - yPx] };
}

/** Draws the still picture as the swaying camera sees it; beside its edges the street goes on as it was. */
export function drawSwayed(ctx: SKRSContext2D, still: Canvas, { xPx, yPx, rollRad, smearPx }: Sway): void {
  const [halfW, halfH] = [still.width / 2, still.height / 2];
  ctx.globalCompositeOperation = 'source-over';
  ctx.drawImage(still, 0, 0);
  const smears = Math.hypot(...smearPx) < BLUR_PX_MIN ? [0] : [0, 1];
  for (const [k, share] of smears.entries()) {
    ctx.save();
    // Of two the second weighs half: an even mean.
    ctx.globalAlpha = 1 / (k + 1);
    ctx.translate(halfW + xPx + smearPx[0] * share, halfH + yPx + smearPx[1] * share);
    ctx.rotate(rollRad);
    ctx.drawImage(still, -halfW, -halfH);
    ctx.restore();
  }
}

/** Where a box of the still picture lies in the swaying one. The turn moves it; that it tilts it is less than half a pixel. */
export function swayedBox([left, top, right, bottom]: Bounds, sway: Sway, widthPx: number, heightPx: number): Bounds {
  const [x, y] = [(left + right - widthPx) / 2, (top + bottom - heightPx) / 2];
  const [sin, cos] = [Math.sin(sway.rollRad), Math.cos(sway.rollRad)];
  const dx = x * cos - y * sin - x + sway.xPx + sway.smearPx[0] / 2;
  const dy = x * sin + y * cos - y + sway.yPx + sway.smearPx[1] / 2;
  return [left + dx, top + dy, right + dx, bottom + dy];
}
