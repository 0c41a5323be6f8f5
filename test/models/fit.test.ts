import { expect, test } from 'vitest';
import { PictureFit } from '#models/mod.ts';

const input = {
  name: 'image',
  width: 8,
  height: 8,
  layout: 'NHWC',
  dtype: 'uint8',
  color: 'RGB',
  letterbox: { pad: 114 },
} as const;

/** A picture whose red is what `at` says. */
function picture(widthPx: number, heightPx: number, at: (x: number, y: number) => number): Uint8Array {
  const rgba = new Uint8Array(widthPx * heightPx * 4);
  for (let y = 0; y < heightPx; y++) for (let x = 0; x < widthPx; x++) rgba.set([at(x, y), 7, 200, 255], (y * widthPx + x) * 4);
  return rgba;
}
const reds = (rgb: Uint8Array, row: number) => Array.from({ length: 8 }, (_, x) => rgb[(row * 8 + x) * 3]);

test('halves: each pixel is the mean of four, bars are grey', () => {
  const fit = new PictureFit({ widthPx: 16, heightPx: 8 }, input);
  const rgb = fit.fit(picture(16, 8, (x, y) => (x % 2 === 0 ? 100 : 50) + (y % 2) * 10));
  expect(fit.letterbox).toEqual({ widthPx: 8, heightPx: 4, leftPx: 0, topPx: 2 });
  expect(reds(rgb, 1)).toEqual(Array(8).fill(114));
  expect(reds(rgb, 2)).toEqual(Array(8).fill(80));
  expect([...rgb.subarray(8 * 2 * 3, 8 * 2 * 3 + 3)]).toEqual([80, 7, 200]);
  expect(reds(rgb, 6)).toEqual(Array(8).fill(114));
});

test('five to four: pixels are shared by area, as ffmpeg does', () => {
  const fit = new PictureFit({ widthPx: 10, heightPx: 10 }, input);
  const rgb = fit.fit(picture(10, 10, (x) => x * 20));
  // Covers [0, 1.25) of 0, 20, ...: (1 * 0 + 0.25 * 20) / 1.25 = 4, then (0.75 * 20 + 0.5 * 40) / 1.25 = 28, ...
  expect(reds(rgb, 3)).toEqual([4, 28, 52, 76, 104, 128, 152, 176]);
});

test('a smaller picture grows, and one of another size is refused', () => {
  const fit = new PictureFit({ widthPx: 4, heightPx: 4 }, input);
  expect(reds(fit.fit(picture(4, 4, (x) => x * 10)), 0)).toEqual([0, 0, 10, 10, 20, 20, 30, 30]);
  expect(() => fit.fit(new Uint8Array(5))).toThrow(RangeError);
});
