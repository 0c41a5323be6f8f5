import { KEPT_MARGIN, type Region, regionOf } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';

/** Blocks are this share of the picture's width: a face or a plate is a block or two. */
const BLOCKS_ACROSS = 40;
const BLOCK_PX_MIN = 6;
/** People are covered with so much around them; share of the box. */
const PERSON_MARGIN = 0.12;

export interface Picture {
  widthPx: number;
  heightPx: number;
  /** As a canvas has it. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** As ffmpeg has it. */
export interface RgbPicture {
  widthPx: number;
  heightPx: number;
  rgb: Uint8Array;
}

/**
 * What may leave the edge of a picture: the boxes of things, and everything else in coarse blocks; all of it where the people
 * of that camera are known to be found (`keep` is then 'all'). People are in coarse blocks wherever they are, inside such a
 * box too. Blocks are aligned to the picture, so that several pictures of one place cannot be combined to a finer one. Boxes
 * are in fractions.
 */
export function maskPicture(picture: Picture | RgbPicture, keep: readonly Box[] | 'all', people: readonly Box[]): Picture {
  const { widthPx, heightPx } = picture;
  const [from, step] = 'rgb' in picture ? [picture.rgb, 3] : [picture.rgba, 4];
  const rgba = new Uint8ClampedArray(widthPx * heightPx * 4);
  const whole: Region = [0, 0, widthPx, heightPx];
  const clear = keep === 'all' ? [whole] : keep.map((box) => regionOf(box, KEPT_MARGIN, widthPx, heightPx));
  const covered = people.map((box) => regionOf(box, PERSON_MARGIN, widthPx, heightPx));
  const block = blockPx(widthPx);
  for (let top = 0; top < heightPx; top += block) {
    for (let left = 0; left < widthPx; left += block) {
      const cell: Region = [left, top, Math.min(widthPx, left + block), Math.min(heightPx, top + block)];
      const mean = meanOf(from, step, widthPx, cell);
      const things = clear.filter((other) => overlaps(other, cell));
      const people = covered.filter((other) => overlaps(other, cell));
      for (let y = cell[1]; y < cell[3]; y++) {
        for (let x = cell[0]; x < cell[2]; x++) {
          const at = (y * widthPx + x) * step;
          const to = (y * widthPx + x) * 4;
          const show = things.some((thing) => holds(thing, x, y)) && !people.some((other) => holds(other, x, y));
          rgba[to] = show ? (from[at] as number) : mean[0];
          rgba[to + 1] = show ? (from[at + 1] as number) : mean[1];
          rgba[to + 2] = show ? (from[at + 2] as number) : mean[2];
          rgba[to + 3] = 255;
        }
      }
    }
  }
  return { widthPx, heightPx, rgba };
}

export function blockPx(widthPx: number): number {
  return Math.max(BLOCK_PX_MIN, Math.round(widthPx / BLOCKS_ACROSS));
}

const holds = (r: Region, x: number, y: number): boolean => x >= r[0] && x < r[2] && y >= r[1] && y < r[3];
const overlaps = (a: Region, b: Region): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

function meanOf(
  bytes: ArrayLike<number>,
  step: number,
  widthPx: number,
  [left, top, right, bottom]: Region,
): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let at = (y * widthPx + left) * step, end = (y * widthPx + right) * step; at < end; at += step) {
      sum[0] += bytes[at] as number;
      sum[1] += bytes[at + 1] as number;
      sum[2] += bytes[at + 2] as number;
    }
  }
  const count = (right - left) * (bottom - top);
  return [Math.round(sum[0] / count), Math.round(sum[1] / count), Math.round(sum[2] / count)];
}

export function toRgba({ widthPx, heightPx, rgb }: RgbPicture): Picture {
  const rgba = new Uint8ClampedArray(widthPx * heightPx * 4);
  for (let from = 0, to = 0; to < rgba.length; from += 3, to += 4) {
    rgba[to] = rgb[from] as number;
    rgba[to + 1] = rgb[from + 1] as number;
    rgba[to + 2] = rgb[from + 2] as number;
    rgba[to + 3] = 255;
  }
  return { widthPx, heightPx, rgba };
}
