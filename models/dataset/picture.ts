import { createCanvas, loadImage } from '@napi-rs/canvas';
import { frameWidthPx, KEPT_MARGIN, type PictureBox, regionOf } from '#grid/mod.ts';
import type { LabelledBox } from '../eval/mod.ts';
import type { Box } from '../letterbox.ts';

const QUALITY = 92;

/**
 * What of a picture of evidence can be learnt from, as a JPEG: without the strip below it, and with the frame around the event's box
 * taken off (what lies beside it goes over it). An original is used as it is.
 */
export async function learnable(
  jpeg: Buffer,
  { widthPx, heightPx, box }: PictureBox,
  kind: 'masked' | 'original',
): Promise<Buffer> {
  if (kind === 'original') return jpeg;
  const canvas = createCanvas(widthPx, heightPx);
  const ctx = canvas.getContext('2d');
  ctx.drawImage(await loadImage(jpeg), 0, 0);
  // Chroma bleeds over two pixels in a JPEG.
  const width = frameWidthPx(widthPx) + 2;
  const [left, top, right, bottom] = regionOf(box, KEPT_MARGIN, widthPx, heightPx);
  const across = right - left + 2 * width;
  const down = bottom - top + 2 * width;
  for (const [x, y, w, h, dx, dy] of [
    [left - width, top - width, across, width, 0, -width],
    [left - width, bottom, across, width, 0, width],
    [left - width, top, width, down - 2 * width, -width, 0],
    [right, top, width, down - 2 * width, width, 0],
  ] as const)
    ctx.drawImage(canvas, x + dx, y + dy, w, h, x, y, w, h);
  return canvas.encode('jpeg', QUALITY);
}

/**
 * Labels of such a picture. Beyond the event's box nobody has said what there is, in an original too: those parts count neither for nor
 * against (`unknown`).
 */
export function labelsOf({ widthPx, heightPx, box }: PictureBox, detects: string, label: 'thing' | 'nothing'): LabelledBox[] {
  const [left, top, right, bottom] = regionOf(box, KEPT_MARGIN, widthPx, heightPx);
  const around: Box[] = [
    [0, 0, widthPx, top],
    [0, bottom, widthPx, heightPx],
    [0, top, left, bottom],
    [right, top, widthPx, bottom],
  ];
  const unknown = around
    .filter(([l, t, r, b]) => r > l && b > t)
    .map((part): LabelledBox => ({ class: detects, box: part, visible: 0, unknown: true }));
  if (label === 'nothing') return unknown;
  const thing: Box = [box[0] * widthPx, box[1] * heightPx, box[2] * widthPx, box[3] * heightPx];
  return [{ class: detects, box: thing, visible: 1 }, ...unknown];
}
