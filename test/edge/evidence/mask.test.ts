import { createCanvas, loadImage } from '@napi-rs/canvas';
import { expect, test } from 'vitest';
import { blockPx, type Caption, captionLines, evidenceJpeg, maskPicture, toRgba } from '#edge/evidence/mod.ts';
import { KEPT_MARGIN, regionOf } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';

const WIDTH = 320;
const HEIGHT = 180;

/** Fine stripes: whatever is pixelated loses them. */
function striped(): { widthPx: number; heightPx: number; rgb: Buffer } {
  const rgb = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let at = 0; at < rgb.length; at++) rgb[at] = (Math.floor(at / 3) % WIDTH) % 2 === 0 ? 255 : 0;
  return { widthPx: WIDTH, heightPx: HEIGHT, rgb };
}

const KEEP: Box = [0.4, 0.4, 0.7, 0.8];
const PERSON: Box = [0.6, 0.5, 0.8, 0.75];

function pixel(rgba: Uint8ClampedArray, x: number, y: number): number {
  return rgba[(y * WIDTH + x) * 4] as number;
}

test('outside of the box every block has one colour, inside every pixel is as it was', () => {
  const picture = striped();
  const { rgba } = maskPicture(picture, [KEEP], []);
  const [left, top, right, bottom] = regionOf(KEEP, 0.08, WIDTH, HEIGHT);
  const wrong: [number, number][] = [];
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const inside = x >= left && x < right && y >= top && y < bottom;
      const asWanted = inside ? pixel(rgba, x, y) === picture.rgb[(y * WIDTH + x) * 3] : Math.abs(pixel(rgba, x, y) - 127.5) < 1;
      if (!asWanted) wrong.push([x, y]);
    }
  }
  expect(wrong).toEqual([]);
  expect(blockPx(WIDTH)).toBe(8);
});

test('a person is pixelated also where the event is', () => {
  const { rgba } = maskPicture(striped(), [KEEP], [PERSON]);
  const [left, top, right, bottom] = regionOf(PERSON, 0.1, WIDTH, HEIGHT);
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) expect(Math.abs(pixel(rgba, x, y) - 127.5)).toBeLessThan(1);
  // The rest of the event's box is still to be seen.
  expect(new Set([pixel(rgba, 140, 100), pixel(rgba, 141, 100)])).toEqual(new Set([0, 255]));
});

test('where the people of a camera are known to be found, all else is shown, and they are not', () => {
  const { rgba } = maskPicture(toRgba(striped()), 'all', [PERSON]);
  const [left, top, right, bottom] = regionOf(PERSON, 0.12, WIDTH, HEIGHT);
  const pixelated = (x: number, y: number) => Math.abs(pixel(rgba, x, y) - 127.5) < 1;
  expect([pixelated(left, top), pixelated(right - 1, bottom - 1), pixelated(5, 5), pixelated(left - 2, top)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

const caption: Caption = {
  nameZh: '占道经营',
  nameEn: 'Illegal stall',
  classKey: '2:0501',
  confidence: 0.87,
  takenAt: Date.parse('2026-11-23T07:50:52Z'),
  timeZone: 'Asia/Shanghai',
  lon: 116.397128,
  lat: 39.916527,
  errorRadiusM: 1.64,
  cell: '110101001001017',
  camera: 'cam-01',
};

test('the strip says what, when in both times, where and which camera; Chinese only with a font for it', () => {
  expect(captionLines(caption, null)).toEqual([
    'Illegal stall  2:0501  87%  camera cam-01',
    '2026-11-23 15:50:52 GMT+8  2026-11-23T07:50:52.000Z',
    '116.397128, 39.916527 ±1.6 m  cell 110101001001017',
  ]);
  expect(captionLines({ ...caption, component: '1101010102000001' }, 'WenQuanYi Zen Hei')).toEqual([
    '占道经营 Illegal stall  2:0501  87%  camera cam-01',
    '2026-11-23 15:50:52 GMT+8  2026-11-23T07:50:52.000Z',
    '116.397128, 39.916527 ±1.6 m  cell 110101001001017  component 1101010102000001',
  ]);
});

test('the evidence is a JPEG in which the stripes are gone outside of the box, the box is drawn and the strip has text', async () => {
  const jpeg = await evidenceJpeg(toRgba(striped()), { box: KEEP, people: [], clear: false }, caption);
  expect(jpeg.subarray(0, 3).toString('hex')).toBe('ffd8ff');
  const image = await loadImage(jpeg);
  expect(image.width).toBe(WIDTH);
  expect(image.height).toBeGreaterThan(HEIGHT + 30);
  const ctx = createCanvas(image.width, image.height).getContext('2d');
  ctx.drawImage(image, 0, 0);
  const contrast = (x: number, y: number, width: number, height: number): number => {
    const { data } = ctx.getImageData(x, y, width, height);
    const values = [...data].filter((_, n) => n % 4 === 0);
    return Math.max(...values) - Math.min(...values);
  };
  expect(contrast(10, 10, 40, 40)).toBeLessThan(20);
  expect(contrast(150, 100, 20, 20)).toBeGreaterThan(150);
  expect(contrast(10, HEIGHT + 4, 200, 20)).toBeGreaterThan(100);
  // Beside what is shown clear, and not over it: that part may be learnt from.
  const [left] = regionOf(KEEP, KEPT_MARGIN, WIDTH, HEIGHT);
  const redness = (x: number): number => {
    const { data } = ctx.getImageData(x, 110, 1, 1);
    return (data[0] as number) - (data[2] as number);
  };
  expect(redness(left - 1)).toBeGreaterThan(80);
  expect(redness(left + 4)).toBeLessThan(20);
});
