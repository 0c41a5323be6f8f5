import { SCREEN_LEVEL } from './full_picture.ts';

/** A picture is looked at through so many cells, each the mean of a few of its pixels. */
export const COLUMNS = 64;
export const ROWS = 36;
const CELLS = COLUMNS * ROWS;
/** Pixels per cell and direction: two by two, spread over the cell, so that the sensor's noise is less than what is drawn. */
const SPREAD = 2;

/** As much of a full picture as is looked at: its brightness, one byte a pixel, in video levels. */
export interface LumaPicture {
  widthPx: number;
  heightPx: number;
  luma: Uint8Array;
}

export interface Thumbnail {
  widthPx: number;
  heightPx: number;
  /** Brightness of each cell, 0-255, row by row. */
  luma: Uint8Array;
  mean: number;
  deviation: number;
  /** Mean step between two pixels that lie next to each other and two apart: what a lens out of focus takes away first. */
  detail: number;
  /** Share of the cells that are white. */
  white: number;
  /** Of all that was looked at: a living camera's noise makes another of it every time. */
  hash: number;
}

const WHITE_MIN = 250;

/** Some fourteen thousand of the picture's pixels are read, whatever its size: 0.1 ms. */
export function thumbnailOf({ widthPx, heightPx, luma: pixels }: LumaPicture): Thumbnail {
  const luma = new Uint8Array(CELLS);
  const stepX = widthPx / (COLUMNS * SPREAD);
  const stepY = heightPx / (ROWS * SPREAD);
  let [sum, squares, white, detail, hash] = [0, 0, 0, 0, 0x811c9dc5];
  for (let row = 0, cell = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++, cell++) {
      let total = 0;
      for (let n = 0; n < SPREAD * SPREAD; n++) {
        const y = Math.floor((row * SPREAD + (n >> 1) + 0.5) * stepY);
        const x = Math.min(widthPx - 3, Math.floor((column * SPREAD + (n & 1) + 0.5) * stepX));
        const at = y * widthPx + Math.max(0, x);
        const value = levelAt(pixels, at);
        total += value;
        if (n === 0) detail += Math.abs(value + levelAt(pixels, at + 1) - 2 * levelAt(pixels, at + 2));
        hash = Math.imul(hash ^ value, 0x01000193);
      }
      const value = total / (SPREAD * SPREAD);
      luma[cell] = value;
      sum += value;
      squares += value * value;
      if (value >= WHITE_MIN) white++;
    }
  }
  const mean = sum / CELLS;
  const deviation = Math.sqrt(Math.max(0, squares / CELLS - mean * mean));
  return { widthPx, heightPx, luma, mean, deviation, detail: detail / (CELLS * 2), white: white / CELLS, hash: hash >>> 0 };
}

function levelAt(luma: Uint8Array, at: number): number {
  return SCREEN_LEVEL[luma[at] as number] as number;
}

/** Where a picture has edges, strong ones not much more than weak ones: so the map stays when the light is another. */
export function edgesOf({ luma }: { luma: ArrayLike<number> }): Float32Array {
  const edges = new Float32Array(CELLS);
  for (let row = 1; row < ROWS - 1; row++)
    for (let column = 1; column < COLUMNS - 1; column++) {
      const at = row * COLUMNS + column;
      const across = (luma[at + 1] as number) - (luma[at - 1] as number);
      const down = (luma[at + COLUMNS] as number) - (luma[at - COLUMNS] as number);
      edges[at] = Math.sqrt(Math.sqrt(across * across + down * down));
    }
  return edges;
}

/** Of a map that has no edges nothing can be said. */
const VARIANCE_MIN = 0.05;

/** How alike two maps are: 1 the same, 0 nothing in common (Pearson's r). Null where one of them is empty. */
export function likeness(a: Float32Array, b: Float32Array): number | null {
  let [sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [va, vb] = [a[at] as number, b[at] as number];
    sa += va;
    sb += vb;
    saa += va * va;
    sbb += vb * vb;
    sab += va * vb;
  }
  const [ca, cb] = [saa - (sa * sa) / a.length, sbb - (sb * sb) / a.length];
  const least = a.length * VARIANCE_MIN;
  return ca < least || cb < least ? null : (sab - (sa * sb) / a.length) / Math.sqrt(ca * cb);
}
