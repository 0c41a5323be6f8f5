import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Locator } from 'playwright-core';

interface Point {
  x: number;
  y: number;
}

/** What is seen of an element, to be looked through by colour: middles of the pixels, each channel of which differs by less than `levels`. */
export async function pixelsOf(
  element: Locator,
): Promise<{ width: number; height: number; points: (colour: readonly number[], levels: number) => Point[] }> {
  const image = await loadImage(await element.screenshot());
  const { width, height } = image;
  const drawing = createCanvas(width, height).getContext('2d');
  drawing.drawImage(image, 0, 0);
  const { data } = drawing.getImageData(0, 0, width, height);
  return {
    width,
    height,
    points(colour, levels) {
      const found: Point[] = [];
      for (let at = 0; at < data.length; at += 4)
        if (colour.every((c, i) => Math.abs((data[at + i] ?? 0) - c) < levels))
          found.push({ x: ((at / 4) % width) + 0.5, y: Math.floor(at / 4 / width) + 0.5 });
      return found;
    },
  };
}

/** Fewer pixels than this are no mark. */
const POINTS_MIN = 10;

/** The middle of a mark; null where there is none. */
export function centreOf(points: readonly Point[]): Point | null {
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return points.length < POINTS_MIN ? null : { x: mean(points.map((p) => p.x)), y: mean(points.map((p) => p.y)) };
}

/** How far points reach. */
export function reachOf(points: readonly Point[]): { left: number; right: number; top: number; bottom: number } {
  const reach = {
    left: Number.POSITIVE_INFINITY,
    right: Number.NEGATIVE_INFINITY,
    top: Number.POSITIVE_INFINITY,
    bottom: Number.NEGATIVE_INFINITY,
  };
  for (const { x, y } of points) {
    reach.left = Math.min(reach.left, x);
    reach.right = Math.max(reach.right, x);
    reach.top = Math.min(reach.top, y);
    reach.bottom = Math.max(reach.bottom, y);
  }
  return reach;
}
