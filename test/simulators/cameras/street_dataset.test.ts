import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DatasetImage, writeDataset } from '#simulators/cameras/dataset.ts';
import { DETECTION_CLASSES } from '#simulators/cameras/scene.ts';

/** A quarter of a camera's picture: the street behind it is drawn sooner. */
const small = { widthPx: 320, heightPx: 180 };
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'street-dataset-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const linesOf = (out: string): string => readFileSync(join(out, 'truth.jsonl'), 'utf8');

test('writes pictures, truth and classes; the same seed gives the same folder', async () => {
  const seen: number[] = [];
  const [one, two, other] = [join(folder, 'one'), join(folder, 'two'), join(folder, 'other')];
  await writeDataset({ out: one, seed: 3, images: 2, ...small }, (written) => seen.push(written));
  await writeDataset({ out: two, seed: 3, images: 2, ...small });
  await writeDataset({ out: other, seed: 4, images: 2, ...small });
  expect(seen).toEqual([1, 2]);
  expect(linesOf(two)).toBe(linesOf(one));
  expect(linesOf(other)).not.toBe(linesOf(one));
  expect(JSON.parse(readFileSync(join(one, 'classes.json'), 'utf8'))).toEqual(DETECTION_CLASSES);
  for (const line of linesOf(one).trim().split('\n')) {
    const { file, boxes } = JSON.parse(line) as DatasetImage;
    const picture = readFileSync(join(one, file));
    expect(picture.readUInt16BE(0)).toBe(0xffd8);
    expect(picture.equals(readFileSync(join(two, file)))).toBe(true);
    for (const { box } of boxes) {
      expect(Math.min(...box)).toBeGreaterThanOrEqual(0);
      expect(box[2]).toBeLessThanOrEqual(small.widthPx);
      expect(box[3]).toBeLessThanOrEqual(small.heightPx);
    }
  }
});

test('another style shows the same things in the same places, in other pixels', async () => {
  const [usual, other] = [join(folder, 'usual'), join(folder, 'other')];
  await writeDataset({ out: usual, seed: 3, images: 1, ...small });
  await writeDataset({ out: other, seed: 3, images: 1, ...small, style: 'other-city' });
  expect(linesOf(other)).toBe(linesOf(usual));
  const [a, b] = [usual, other].map((dir) => readFileSync(join(dir, 'images/000000.jpg')));
  expect(a?.equals(b as Buffer)).toBe(false);
});
