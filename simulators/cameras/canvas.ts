import { type Canvas, createCanvas } from '@napi-rs/canvas';
import type { Picture } from './scene.ts';

/** A drawn picture as a canvas: to be coded, or drawn on. */
export function canvasOf({ widthPx, heightPx, rgba }: Pick<Picture, 'widthPx' | 'heightPx' | 'rgba'>): Canvas {
  const canvas = createCanvas(widthPx, heightPx);
  const ctx = canvas.getContext('2d');
  const pixels = ctx.createImageData(widthPx, heightPx);
  pixels.data.set(rgba);
  ctx.putImageData(pixels, 0, 0);
  return canvas;
}
