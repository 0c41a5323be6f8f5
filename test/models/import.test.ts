import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { expect, test } from 'vitest';
import { readFolder } from '#models/eval/mod.ts';
import { readDataset, writeSplits } from '#models/import/mod.ts';
import { tempDir } from '../support/temp.ts';

async function put(file: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function picture(file: string, widthPx = 200, heightPx = 100): Promise<void> {
  const canvas = createCanvas(widthPx, heightPx);
  await put(file, file.endsWith('.png') ? await canvas.encode('png') : await canvas.encode('jpeg'));
}

async function yoloDataset(labels: Record<string, string>): Promise<string> {
  const dir = await tempDir();
  await put(
    join(dir, 'data.yaml'),
    "path: /made/elsewhere\ntrain: images/train\nval: images/val\nnames:\n  0: Stall\n  1: Driver's cab\n",
  );
  for (const [name, text] of Object.entries(labels)) {
    await picture(join(dir, 'images', `${name}.jpg`));
    if (text !== '') await put(join(dir, 'labels', `${name}.txt`), text);
  }
  return dir;
}

test('YOLO: centre and size in fractions become edges in pixels, names plain; no text file means nothing there', async () => {
  const dir = await yoloDataset({
    'train/a': '0 0.5 0.5 0.2 0.4\n1 0.25 0.5 0.5 1\n',
    'train/b': '',
    'val/c': '0 0.9 0.9 0.2 0.2\n',
  });
  const { layout, classes, splits, faults } = await readDataset(dir);
  expect([layout, classes, faults]).toEqual(['yolo', ['stall', 'driver_s_cab'], []]);
  expect(splits.train).toEqual([
    {
      file: join(dir, 'images/train/a.jpg'),
      boxes: [
        { class: 'stall', box: [80, 30, 120, 70] },
        { class: 'driver_s_cab', box: [0, 0, 100, 100] },
      ],
    },
    { file: join(dir, 'images/train/b.jpg'), boxes: [] },
  ]);
  // Without a split to test on, the validation pictures are shared out by name.
  expect([...splits.val, ...splits.test].map((p) => p.file)).toEqual([join(dir, 'images/val/c.jpg')]);
});

test('YOLO: a polygon counts as the box around it', async () => {
  const dir = await yoloDataset({ 'train/a': '0 0.1 0.2 0.4 0.2 0.4 0.6 0.2 0.8\n' });
  const all = Object.values((await readDataset(dir)).splits).flat();
  expect(all[0]?.boxes).toEqual([{ class: 'stall', box: [20, 20, 80, 80] }]);
});

test('YOLO: mistakes are named by file and line, what is right in the file stays', async () => {
  const dir = await yoloDataset({
    'train/a': '0 0.5 0.5 0.2 0.4\n7 0.5 0.5 0.1 0.1\n\n0 0.5 0.5 0.1\n0 0.9 0.5 0.5 0.2\n0 x 0.5 0.1 0.1\n',
  });
  await put(join(dir, 'images/train/broken.jpg'), 'no picture');
  const { splits, faults } = await readDataset(dir);
  expect(faults).toEqual([
    'labels/train/a.txt:2: class 7: there are 2, from 0 on',
    'labels/train/a.txt:4: class and four numbers are wanted, or a polygon: there are 4',
    'labels/train/a.txt:5: the box reaches beyond the picture of 200 x 100',
    'labels/train/a.txt:6: all but numbers are out of place',
    expect.stringMatching(/^images\/train\/broken\.jpg: no picture: /),
    expect.stringContaining('images/val: there is no such folder'),
  ]);
  expect(Object.values(splits).flat()).toMatchObject([{ boxes: [{ class: 'stall' }] }]);
});

const COCO = {
  images: [
    { id: 4, file_name: 'a.png', width: 200, height: 100 },
    { id: 5, file_name: 'gone.png', width: 200, height: 100 },
  ],
  annotations: [
    { id: 1, image_id: 4, category_id: 9, bbox: [10, 20, 30, 40] },
    { id: 2, image_id: 4, category_id: 3, bbox: [0, 0, 50, 50], iscrowd: 1 },
    { id: 3, image_id: 4, category_id: 1, bbox: [0, 0, 50, 50] },
    { id: 4, image_id: 8, category_id: 9, bbox: [0, 0, 50, 50] },
    { id: 5, image_id: 4, category_id: 9, bbox: [190, 0, 50, 50] },
  ],
  categories: [
    { id: 9, name: 'Stall' },
    { id: 3, name: 'Garbage heap' },
  ],
};

test('COCO: left, top, width, height; ids are no positions; crowds are ignored; mistakes are named by line', async () => {
  const dir = await tempDir();
  await picture(join(dir, 'train/a.png'));
  await put(join(dir, 'annotations/instances_train.json'), JSON.stringify(COCO, null, 1));
  const { layout, classes, splits, faults } = await readDataset(dir);
  expect([layout, classes]).toEqual(['coco', ['stall', 'garbage_heap']]);
  expect(Object.values(splits).flat()).toEqual([
    {
      file: join(dir, 'train/a.png'),
      boxes: [
        { class: 'stall', box: [10, 20, 40, 60] },
        { class: 'garbage_heap', box: [0, 0, 50, 50], visible: 0 },
      ],
    },
  ]);
  const text = await readFile(join(dir, 'annotations/instances_train.json'), 'utf8');
  const lineOf = (what: string) => text.slice(0, text.indexOf(what)).split('\n').length - 1;
  const file = 'annotations/instances_train.json';
  expect(faults).toEqual([
    `${file}:${lineOf('"id": 5,\n   "file_name"')}: images[1]: gone.png: there is no such picture`,
    `${file}:${lineOf('"id": 3,\n   "image_id"')}: annotations[2]: there is no category 1`,
    `${file}:${lineOf('"id": 4,\n   "image_id"')}: annotations[3]: there is no image 8`,
    `${file}:${lineOf('"id": 5,\n   "image_id"')}: annotations[4]: the box reaches beyond the picture of 200 x 100`,
  ]);
});

test('COCO: a file that is no JSON is refused with its line', async () => {
  const dir = await tempDir();
  await put(join(dir, 'annotations/instances_val.json'), '{\n "images": [],\n "annotations": [,]\n}');
  await expect(readDataset(dir)).rejects.toMatchObject({
    code: 'GEWU_MODEL_INVALID',
    message: expect.stringContaining('instances_val.json:3:'),
  });
});

test('a folder that is neither is refused, and two classes of one name too', async () => {
  await expect(readDataset(await tempDir())).rejects.toMatchObject({ code: 'GEWU_MODEL_INVALID' });
  const dir = await tempDir();
  await put(join(dir, 'data.yaml'), 'train: images\nnames: [Stall, stall]\n');
  await expect(readDataset(dir)).rejects.toMatchObject({ message: expect.stringContaining('holds a name twice') });
});

test('pictures without splits are shared out, each always to the same side, and the folders can be read', async () => {
  const dir = await tempDir();
  await put(join(dir, 'data.yaml'), 'train: images\nnames: [stall]\n');
  for (let n = 0; n < 60; n++) await picture(join(dir, `images/${n}.png`), 32, 32);
  const dataset = await readDataset(dir);
  const { train, val, test: held } = dataset.splits;
  expect(train.length + val.length + held.length).toBe(60);
  expect(Math.min(val.length, held.length)).toBeGreaterThan(0);
  expect(train.length).toBeGreaterThan(35);
  expect(await readDataset(dir)).toEqual(dataset);
  const out = await tempDir();
  const folders = await writeSplits(dataset, out);
  expect((await readFolder(folders.train)).pictures).toEqual(train);
});
