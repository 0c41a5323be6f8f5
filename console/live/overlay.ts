import type { LiveBox, LiveStart } from '#grid/live/mod.ts';
import { contained, type Frame } from './frame.ts';

export interface OverlayOptions {
  boxes: boolean;
  zones: boolean;
  /** What stands at a box; null for nothing. */
  label: (box: LiveBox) => string | null;
}

const LINE_PX = 2;
const FONT_PX = 12;
const PAD_PX = 4;
const BOX_COLOUR = '#ff9f0a';
const TEXT_COLOUR = '#1c1c1e';
const ZONE_COLOUR = 'rgba(64, 156, 255, 0.9)';
const ZONE_FILL = 'rgba(64, 156, 255, 0.08)';

/** Zones and boxes, drawn over the picture and never into it. */
export class Overlay {
  readonly element = document.createElement('canvas');

  /** `boxes` are those of the picture that is shown now. */
  draw({ widthPx, heightPx, zones }: LiveStart, boxes: readonly LiveBox[], options: OverlayOptions): void {
    const ctx = this.#clean();
    if (ctx === null) return;
    const frame = contained(this.element.clientWidth, this.element.clientHeight, widthPx / heightPx);
    if (options.zones) for (const { polygon } of zones) drawZone(ctx, polygon, frame);
    if (options.boxes) for (const box of boxes) drawBox(ctx, box, frame, options.label(box));
  }

  clear(): void {
    this.#clean();
  }

  #clean(): CanvasRenderingContext2D | null {
    const { element } = this;
    const scale = globalThis.devicePixelRatio || 1;
    const [width, height] = [Math.round(element.clientWidth * scale), Math.round(element.clientHeight * scale)];
    if (element.width !== width) element.width = width;
    if (element.height !== height) element.height = height;
    const ctx = element.getContext('2d');
    ctx?.setTransform(scale, 0, 0, scale, 0, 0);
    ctx?.clearRect(0, 0, element.clientWidth, element.clientHeight);
    return ctx;
  }
}

function drawZone(ctx: CanvasRenderingContext2D, polygon: readonly (readonly [number, number])[], frame: Frame): void {
  ctx.beginPath();
  for (const [x, y] of polygon) ctx.lineTo(frame.x + x * frame.width, frame.y + y * frame.height);
  ctx.closePath();
  ctx.fillStyle = ZONE_FILL;
  ctx.fill();
  ctx.lineWidth = LINE_PX;
  ctx.strokeStyle = ZONE_COLOUR;
  ctx.stroke();
}

function drawBox(ctx: CanvasRenderingContext2D, { box }: LiveBox, frame: Frame, label: string | null): void {
  const [x, y] = [frame.x + box[0] * frame.width, frame.y + box[1] * frame.height];
  ctx.lineWidth = LINE_PX;
  ctx.strokeStyle = BOX_COLOUR;
  ctx.strokeRect(x, y, (box[2] - box[0]) * frame.width, (box[3] - box[1]) * frame.height);
  if (label === null) return;
  ctx.font = `${FONT_PX}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  const [width, height] = [ctx.measureText(label).width + 2 * PAD_PX, FONT_PX + 2 * PAD_PX];
  // Above the box where there is room, else inside.
  const top = y - height >= frame.y ? y - height : y;
  ctx.fillStyle = BOX_COLOUR;
  ctx.fillRect(x - LINE_PX / 2, top, width, height);
  ctx.fillStyle = TEXT_COLOUR;
  ctx.fillText(label, x - LINE_PX / 2 + PAD_PX, top + height / 2);
}
