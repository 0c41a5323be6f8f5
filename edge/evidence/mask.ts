import type { Box } from '#models/mod.ts';

/** Blocks are this share of the picture's width: a face or a plate is a block or two. */
const BLOCKS_ACROSS = 40;
const BLOCK_PX_MIN = 6;
/** The event's box is shown with so much around it, and people are covered with so much around them; shares of the box. */
const KEEP_MARGIN = 0.08;
const PERSON_MARGIN = 0.12;

export interface MaskedPicture {
  widthPx: number;
  heightPx: number;
  /** RGBA, ready for a canvas. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** [left, top, right, bottom) in whole pixels. */
export type Region = readonly [number, number, number, number];

/**
 * What may leave the edge of a picture: the boxes of things, and everything else in coarse blocks. People are in coarse
 * blocks wherever they are, inside such a box too. Blocks are aligned to the picture, so that several pictures of one place
 * cannot be combined to a finer one. Boxes are in fractions.
 */
export function maskPicture(
  picture: { widthPx: number; heightPx: number; rgb: Uint8Array },
  keep: readonly Box[],
  people: readonly Box[],
): MaskedPicture {
  const { widthPx, heightPx, rgb } = picture;
  const rgba = new Uint8ClampedArray(widthPx * heightPx * 4);
  const clear = keep.map((box) => region(box, KEEP_MARGIN, widthPx, heightPx));
  const covered = people.map((box) => region(box, PERSON_MARGIN, widthPx, heightPx));
  const block = blockPx(widthPx);
  for (let top = 0; top < heightPx; top += block) {
    for (let left = 0; left < widthPx; left += block) {
      const cell: Region = [left, top, Math.min(widthPx, left + block), Math.min(heightPx, top + block)];
      const mean = meanOf(rgb, widthPx, cell);
      const things = clear.filter((other) => overlaps(other, cell));
      const people = covered.filter((other) => overlaps(other, cell));
      for (let y = cell[1]; y < cell[3]; y++) {
        for (let x = cell[0]; x < cell[2]; x++) {
          const from = (y * widthPx + x) * 3;
          const to = (y * widthPx + x) * 4;
          const show = things.some((thing) => holds(thing, x, y)) && !people.some((other) => holds(other, x, y));
          rgba[to] = show ? (rgb[from] as number) : mean[0];
          rgba[to + 1] = show ? (rgb[from + 1] as number) : mean[1];
          rgba[to + 2] = show ? (rgb[from + 2] as number) : mean[2];
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

/** A box in whole pixels, grown by a margin on each side, clipped to the picture. */
export function region(box: Box, margin: number, widthPx: number, heightPx: number): Region {
  const [dx, dy] = [(box[2] - box[0]) * margin, (box[3] - box[1]) * margin];
  return [
    Math.max(0, Math.floor((box[0] - dx) * widthPx)),
    Math.max(0, Math.floor((box[1] - dy) * heightPx)),
    Math.min(widthPx, Math.ceil((box[2] + dx) * widthPx)),
    Math.min(heightPx, Math.ceil((box[3] + dy) * heightPx)),
  ];
}

const holds = (r: Region, x: number, y: number): boolean => x >= r[0] && x < r[2] && y >= r[1] && y < r[3];
const overlaps = (a: Region, b: Region): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

function meanOf(rgb: Uint8Array, widthPx: number, [left, top, right, bottom]: Region): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let at = (y * widthPx + left) * 3, end = (y * widthPx + right) * 3; at < end; at += 3) {
      sum[0] += rgb[at] as number;
      sum[1] += rgb[at + 1] as number;
      sum[2] += rgb[at + 2] as number;
    }
  }
  const count = (right - left) * (bottom - top);
  return [Math.round(sum[0] / count), Math.round(sum[1] / count), Math.round(sum[2] / count)];
}
