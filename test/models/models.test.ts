import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import {
  type Box,
  iou,
  letterboxOf,
  loadManifest,
  MODEL_FORMATS,
  type ModelManifest,
  modelFormat,
  suppress,
  toPictureBox,
} from '#models/mod.ts';
import { tempDir } from '#test/support/temp.ts';

const BRIGHT_STREET = join(import.meta.dirname, 'fixtures/bright-street');

async function decodeFixture(grey: number, weakFactor = 1) {
  const { manifest, bytes } = await loadManifest(BRIGHT_STREET);
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const input = new Tensor('uint8', new Uint8Array(320 * 320 * 3).fill(grey), [1, 320, 320, 3]);
  const outputs = await session.run({ [manifest.input.name]: input });
  const tensors = Object.fromEntries(
    Object.entries(outputs).map(([k, v]) => [k, { data: v.data as Float32Array, dims: v.dims }]),
  );
  return modelFormat(manifest.family)?.decode(tensors, manifest, { weakFactor }) ?? [];
}

test('the decoder gives the known answer of the hand-made graph, duplicates of one thing removed', async () => {
  const found = await decodeFixture(255);
  expect(found.map((d) => d.class)).toEqual(['stall', 'person']);
  expect(found[0]?.box).toEqual([100.25, 150.5, 140.75, 190]);
  expect(found[0]?.score).toBeCloseTo(0.9, 5);
  expect(found[1]?.score).toBeCloseTo(0.8, 5);
});

test('below the threshold of its class a detection counts only as weak', async () => {
  // Brightness 0.375: the stall has 0.34 of the 0.4 that it needs.
  // People count from 0.2 on, whatever their threshold: they are only masked.
  expect((await decodeFixture(112)).map((d) => d.class)).toEqual(['person']);
  expect((await decodeFixture(112, 0.5)).map((d) => d.class)).toEqual(['stall', 'person']);
});

test('a box goes back to the picture within one pixel, for wide, tall and square pictures', () => {
  for (const [widthPx, heightPx] of [
    [640, 360],
    [1920, 1080],
    [1280, 718],
    [360, 640],
    [500, 500],
  ] as const) {
    const lb = letterboxOf({ widthPx, heightPx }, { width: 320, height: 320, letterbox: {} });
    const truth: Box = [0.25 * widthPx, 0.3 * heightPx, 0.5 * widthPx, 0.8 * heightPx];
    const scale = Math.min(320 / widthPx, 320 / heightPx);
    const [ox, oy] = [(320 - widthPx * scale) / 2, (320 - heightPx * scale) / 2];
    const box = toPictureBox([truth[0] * scale + ox, truth[1] * scale + oy, truth[2] * scale + ox, truth[3] * scale + oy], lb);
    box.forEach((value, k) => {
      const px = value * (k % 2 === 0 ? widthPx : heightPx);
      expect(Math.abs(px - (truth[k] as number))).toBeLessThan(Math.max(1, 1 / scale));
    });
  }
  expect(letterboxOf({ widthPx: 640, heightPx: 360 }, { width: 320, height: 320, letterbox: {} })).toEqual({
    widthPx: 320,
    heightPx: 180,
    leftPx: 0,
    topPx: 70,
  });
});

test('a person is never suppressed by another class at the same place', () => {
  const box: Box = [10, 10, 50, 90];
  const kept = suppress([
    { class: 'stall', score: 0.9, box },
    { class: 'garbage', score: 0.8, box },
    { class: 'person', score: 0.3, box },
  ]);
  expect(kept.map((d) => d.class)).toEqual(['stall', 'person']);
});

test('neighbours of one class that overlap little are both kept', () => {
  const [a, b]: [Box, Box] = [
    [0, 0, 40, 40],
    [30, 0, 70, 40],
  ];
  expect(iou(a, b)).toBeCloseTo(10 / 70);
  expect(
    suppress([
      { class: 'stall', score: 0.9, box: a },
      { class: 'stall', score: 0.8, box: b },
    ]),
  ).toHaveLength(2);
});

test('not-a-number and empty boxes are no detections, wrong shapes are an error', async () => {
  const { manifest } = await loadManifest(BRIGHT_STREET);
  const format = modelFormat('gewu-uint8');
  const tensor = (data: number[], columns: number) => ({
    data: Float32Array.from(data),
    dims: [1, data.length / columns, columns],
  });
  const scores = tensor([0.9, 0, 0, 0, 0, 0, Number.NaN, 0, 0, 0, 0, 0], 6);
  const decode = (boxes: number[]) => format?.decode({ boxes: tensor(boxes, 4), scores }, manifest, { weakFactor: 1 });
  expect(decode([50, 50, Number.NaN, 60, 0, 0, 9, 9])).toEqual([]);
  expect(decode([50, 50, 40, 60, 0, 0, 9, 9])).toEqual([]);
  expect(decode([50, 50, 60, 60, 0, 0, 9, 9])).toHaveLength(1);
  expect(() => decode([50, 50, 60, 60])).toThrow(RangeError);
});

test('every family has one decoder', () => {
  expect(new Set(MODEL_FORMATS.map((f) => f.family)).size).toBe(MODEL_FORMATS.length);
  expect(modelFormat('unheard-of')).toBeUndefined();
});

async function copyOfFixture(change: (manifest: ModelManifest) => unknown): Promise<string> {
  const dir = await tempDir();
  const manifest = JSON.parse(await readFile(join(BRIGHT_STREET, 'manifest.json'), 'utf8')) as ModelManifest;
  await copyFile(join(BRIGHT_STREET, 'model.onnx'), join(dir, 'model.onnx'));
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(change(manifest) ?? manifest));
  return dir;
}

test('a model file that is not the one of its manifest is refused', async () => {
  const dir = await copyOfFixture((m) => m);
  await expect(loadManifest(dir)).resolves.toMatchObject({ manifest: { name: 'bright-street' } });
  await writeFile(join(dir, 'model.onnx'), 'something else');
  await expect(loadManifest(dir)).rejects.toMatchObject({
    code: 'GEWU_MODEL_INVALID',
    message: expect.stringContaining('SHA-256'),
  });
});

test('a manifest with an unknown key, without a threshold, or that leaves its folder is refused', async () => {
  const bad = [
    (m: ModelManifest) => ({ ...m, colour: 'red' }),
    (m: ModelManifest) => ({ ...m, thresholds: { stall: 0.4 } }),
    (m: ModelManifest) => ({ ...m, file: '../model.onnx' }),
  ];
  for (const change of bad)
    await expect(loadManifest(await copyOfFixture(change))).rejects.toMatchObject({ code: 'GEWU_MODEL_INVALID' });
  await expect(loadManifest('/nowhere')).rejects.toMatchObject({ code: 'GEWU_MODEL_INVALID' });
});

test('the shipped model fits its manifest and this schema', async () => {
  const { manifest } = await loadManifest('models/street-drawn');
  expect(manifest).toMatchObject({ family: 'gewu-uint8', provenance: 'drawn-scenes' });
  expect(modelFormat(manifest.family)).toBeDefined();
});
