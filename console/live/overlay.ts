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
const LABEL_PX = FONT_PX + 2 * PAD_PX;
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
    if (options.zones) for (const { id, polygon } of zones) drawZone(ctx, id, polygon, frame);
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

function drawZone(
  ctx: CanvasRenderingContext2D,
  id: string,
  polygon: readonly (readonly [number, number])[],
  frame: Frame,
): void {
  ctx.beginPath();
  for (const [x, y] of polygon) ctx.lineTo(frame.x + x * frame.width, frame.y + y * frame.height);
  ctx.closePath();
  ctx.fillStyle = ZONE_FILL;
  ctx.fill();
  ctx.lineWidth = LINE_PX;
  ctx.strokeStyle = ZONE_COLOUR;
  ctx.stroke();
  const [x, y] = polygon.reduce((a, b) => (b[0] + b[1] < a[0] + a[1] ? b : a), [1, 1] as readonly [number, number]);
  drawLabel(ctx, id, [frame.x + x * frame.width, frame.y + y * frame.height], ZONE_COLOUR);
}

function drawBox(ctx: CanvasRenderingContext2D, { box }: LiveBox, frame: Frame, label: string | null): void {
  const [x, y] = [frame.x + box[0] * frame.width, frame.y + box[1] * frame.height];
  ctx.lineWidth = LINE_PX;
  ctx.strokeStyle = BOX_COLOUR;
  ctx.strokeRect(x, y, (box[2] - box[0]) * frame.width, (box[3] - box[1]) * frame.height);
  if (label === null) return;
  // Above the box where there is room, else inside.
  drawLabel(ctx, label, [x - LINE_PX / 2, y - LABEL_PX >= frame.y ? y - LABEL_PX : y], BOX_COLOUR);
}

/** `[x, y]` is its upper left corner. */
function drawLabel(ctx: CanvasRenderingContext2D, text: string, [x, y]: readonly [number, number], background: string): void {
  ctx.font = `${FONT_PX}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.fillStyle = background;
  ctx.fillRect(x, y, ctx.measureText(text).width + 2 * PAD_PX, LABEL_PX);
  ctx.fillStyle = TEXT_COLOUR;
  ctx.fillText(text, x + PAD_PX, y + LABEL_PX / 2);
}
