import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { toInput } from '#edge/cameras/mod.ts';
import {
  type Box,
  checkModel,
  classNames,
  type Detection,
  InputWriter,
  inputDims,
  letterboxOf,
  type ModelManifest,
  modelFormat,
  readOnnx,
  recogniseInput,
  recogniseOutputs,
  toPictureBox,
} from '#models/mod.ts';
import { tempDir } from '#test/support/temp.ts';

/** Graphs in the shape of each family, which find the bright rectangle of a picture: fixtures/make_families.py. */
const FAMILIES = ['gewu-uint8', 'yolov5', 'yolov8', 'yolo-end2end', 'rt-detr'];
const fixture = (family: string) => join(import.meta.dirname, `fixtures/families/${family}.onnx`);

interface Scene {
  widthPx: number;
  heightPx: number;
  /** Edges in pixels, and what stands between them; none for an empty street. */
  thing?: { box: Box; rgb: readonly [number, number, number] };
}

/** As the edge does it: the picture through ffmpeg, the tensor through the runtime, boxes back into the picture's pixels. */
async function detect(session: InferenceSession, manifest: ModelManifest, scene: Scene): Promise<Detection[]> {
  const { widthPx, heightPx } = scene;
  const { input } = manifest;
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24'];
  const bytes = execFileSync(
    'ffmpeg',
    [...['-v', 'error'], ...raw, '-s', `${widthPx}x${heightPx}`, '-i', '-', '-vf', toInput(input), ...raw, '-'],
    { input: draw(scene), maxBuffer: 1 << 26 },
  );
  const tensor = new Tensor(input.dtype, new InputWriter(input).write(bytes), inputDims(input));
  const results = await session.run({ [input.name]: tensor });
  const outputs = Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]),
  );
  const letterbox = letterboxOf(scene, input);
  const found = modelFormat(manifest.family)?.decode(outputs, manifest, { weakFactor: 1 }) ?? [];
  return found.map((d) => {
    const [left, top, right, bottom] = toPictureBox(d.box, letterbox);
    return { ...d, box: [left * widthPx, top * heightPx, right * widthPx, bottom * heightPx] };
  });
}

function draw({ widthPx, heightPx, thing }: Scene): Buffer {
  const picture = Buffer.alloc(widthPx * heightPx * 3, 60);
  if (thing === undefined) return picture;
  const [left, top, right, bottom] = thing.box;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) picture.set(thing.rgb, (y * widthPx + x) * 3);
  return picture;
}

test.for(FAMILIES)('%s: recognised by its shapes, and its boxes land within one pixel', { timeout: 60_000 }, async (family) => {
  const { draft } = await checkModel(fixture(family));
  expect(draft.family).toBe(family);
  expect(draft.classes).toEqual(['red_thing', 'green', 'blue']);
  const session = await InferenceSession.create(await readFile(fixture(family)), { intraOpNumThreads: 1 });
  const colours = [
    ['red_thing', [255, 20, 20]],
    ['green', [20, 255, 20]],
    ['blue', [20, 20, 255]],
  ] as const;
  const size = fc.constantFrom([1280, 720], [640, 360], [1920, 1080], [704, 576], [480, 800]);
  const scenes = fc.sample(
    fc.tuple(size, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 })),
    12,
  );
  for (const [n, [[widthPx = 0, heightPx = 0], [x = 0, y = 0, w = 0, h = 0]]] of scenes.entries()) {
    const [left, top] = [Math.floor(x * 0.6 * widthPx), Math.floor(y * 0.6 * heightPx)];
    const box: Box = [left, top, left + 48 + Math.floor(w * 0.2 * widthPx), top + 48 + Math.floor(h * 0.2 * heightPx)];
    const [name, rgb] = colours[n % 3] as (typeof colours)[number];
    const scene = { widthPx, heightPx, thing: { box, rgb } };
    const found = await detect(session, draft, scene);
    // The double is suppressed, the weak one is below the threshold.
    expect(found.map((d) => d.class)).toEqual([name]);
    expect(found[0]?.score).toBeGreaterThan(family === 'yolov5' ? 0.7 : 0.8);
    const { widthPx: fitted, heightPx: fittedHigh } = letterboxOf(scene, draft.input);
    const pixel = [widthPx / fitted, heightPx / fittedHigh, widthPx / fitted, heightPx / fittedHigh];
    found[0]?.box.forEach((edge, side) => {
      const error = Math.abs(edge - (box[side] as number));
      expect(error, `${family}, ${JSON.stringify(scene)}: ${found[0]?.box}`).toBeLessThanOrEqual(pixel[side] as number);
    });
  }
  expect(await detect(session, draft, { widthPx: 640, heightPx: 360 })).toEqual([]);
  await session.release();
});

test('values become what the model was trained on: by layout, order of colours, mean and deviation', () => {
  const input = { name: 'x', width: 2, height: 1, letterbox: null } as const;
  const rgb = Uint8Array.of(0, 51, 102, 153, 204, 255);
  const write = (more: object) => [...new InputWriter({ ...input, ...more } as ModelManifest['input']).write(rgb)];
  expect(write({ layout: 'NHWC', dtype: 'uint8', color: 'RGB' })).toEqual([...rgb]);
  expect(write({ layout: 'NCHW', dtype: 'uint8', color: 'BGR' })).toEqual([102, 255, 51, 204, 0, 153]);
  const normalisation = { scale: 1 / 255, mean: [0.2, 0, 0], std: [0.5, 1, 1] };
  const values = write({ layout: 'NCHW', dtype: 'float32', color: 'RGB', normalisation });
  for (const [i, value] of [-0.4, 0.8, 0.2, 0.8, 0.4, 1].entries()) expect(values[i]).toBeCloseTo(value, 5);
});

test('what is no detector of ours is refused with its shapes', () => {
  const image = { name: 'images', type: 'float32', shape: [1, 3, 'height', 'width'] };
  expect(recogniseInput([image], [480, 640])).toMatchObject({ width: 640, height: 480, layout: 'NCHW' });
  expect(recogniseInput([image], null)).toMatchObject({ width: 640, height: 640 });
  for (const wrong of [
    [],
    [image, { name: 'orig_target_sizes', type: 'int64', shape: [1, 2] }],
    [{ ...image, type: 'float16' }],
    [{ ...image, shape: [1, 4, 640, 640] }],
    [{ ...image, shape: [1, 3, 640] }],
  ])
    expect(() => recogniseInput(wrong, null)).toThrow(expect.objectContaining({ code: 'GEWU_MODEL_INVALID' }));
  const output = (...shape: number[]) => [{ name: 'output0', type: 'float32', shape }];
  expect(recogniseOutputs(output(1, 300, 6), 'RT-DETR two classes')).toMatchObject({ family: 'rt-detr', classCount: 2 });
  expect(recogniseOutputs(output(1, 300, 6), '').doubt).toContain('RT-DETR');
  for (const wrong of [output(1, 1000), output(2, 84, 8400), output(1, 3, 4), [...output(1, 84, 8400), ...output(1, 32, 160)]])
    expect(() => recogniseOutputs(wrong, '')).toThrow(expect.objectContaining({ code: 'GEWU_MODEL_INVALID' }));
});

test('names of classes come from what the exporter noted', () => {
  expect(classNames(`{0: 'person', 1: "driver's cab", 2: 'traffic light'}`)).toEqual(['person', 'driver_s_cab', 'traffic_light']);
  for (const none of [undefined, '', '{}', `{0: 'a', 2: 'b'}`, `{0: '井盖'}`, `{0: 'a b', 1: 'a-b'}`])
    expect(classNames(none)).toBeNull();
});

test('a file that is torn or changed is refused, and nothing crashes', { timeout: 60_000 }, async () => {
  const whole = await readFile(fixture('yolov8'));
  const dir = await tempDir();
  const file = join(dir, 'changed.onnx');
  const changed = [
    Buffer.alloc(0),
    Buffer.from('no model'),
    ...[0.1, 0.5, 0.9, 0.99].map((part) => whole.subarray(0, Math.floor(whole.length * part))),
  ];
  for (const bytes of changed) {
    await writeFile(file, bytes);
    await expect(checkModel(file)).rejects.toMatchObject({ code: 'GEWU_MODEL_INVALID' });
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: whole.length }), (noise, at) => {
      const bytes = Buffer.concat([whole.subarray(0, at), noise]);
      try {
        readOnnx(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
