/**
 * Measures an exported model (family gewu-uint8) on folders of drawn scenes and writes its manifest.
 *
 *   node models/train/evaluate.ts --model WORK/model.onnx --training WORK/training.json \
 *     --val DIR --test DIR --train-seeds 1,2 --val-seed 8001 --test-seed 7001 --out models/street-drawn
 *
 * Thresholds are chosen on the validation folder, figures come from the test folder; neither was trained on.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDetector } from './detector.ts';
import { averagePrecision, type Found, match, type ScoredImage, thresholdFor } from './metric.ts';

/** Truth shorter than this in the 640 x 360 picture, or seen less than this, neither counts for nor against a model. */
const SHORT_SIDE_MIN_PX = 8;
const VISIBLE_MIN = 0.3;
const PRECISION_WANTED = 0.95;

interface Entry {
  file: string;
  boxes: { class: string; box: [number, number, number, number]; visible: number }[];
}

async function detectFolder(model: string, folder: string, classes: readonly string[]): Promise<ScoredImage[]> {
  const detector = await openDetector(model);
  const scored: ScoredImage[] = [];
  for (const line of readFileSync(join(folder, 'truth.jsonl'), 'utf8').trim().split('\n')) {
    const entry = JSON.parse(line) as Entry;
    const found: Found[] = await detector.detect(join(folder, entry.file));
    scored.push({
      truth: entry.boxes.map(({ class: name, box, visible }) => ({
        kind: classes.indexOf(name),
        box,
        ignored: visible < VISIBLE_MIN || Math.min(box[2] - box[0], box[3] - box[1]) < SHORT_SIDE_MIN_PX,
      })),
      found: found.filter(({ box }) => Math.min(box[2] - box[0], box[3] - box[1]) >= SHORT_SIDE_MIN_PX),
    });
  }
  return scored;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: '' },
    training: { type: 'string', default: '' },
    val: { type: 'string', default: '' },
    test: { type: 'string', default: '' },
    'train-seeds': { type: 'string', default: '1,2' },
    'val-seed': { type: 'string', default: '8001' },
    'test-seed': { type: 'string', default: '7001' },
    out: { type: 'string', default: 'models/street-drawn' },
  },
});

const training = JSON.parse(readFileSync(values.training, 'utf8')) as {
  classes: string[];
  images: number;
  epochs: number;
  parameters: number;
  minutes: number;
};
const { classes } = training;
const validation = await detectFolder(values.model, values.val, classes);
const test = await detectFolder(values.model, values.test, classes);
const thresholds: Record<string, number> = {};
const perClass: Record<string, { ap50: number; precision: number; recall: number; truths: number }> = {};
classes.forEach((name, kind) => {
  const threshold = thresholdFor(match(validation, kind), PRECISION_WANTED);
  const matched = match(test, kind);
  const kept = matched.marks.filter(({ score }) => score >= threshold);
  const hits = kept.filter(({ hit }) => hit).length;
  thresholds[name] = round(threshold);
  perClass[name] = {
    ap50: round(averagePrecision(matched)),
    precision: round(kept.length === 0 ? 1 : hits / kept.length),
    recall: round(hits / Math.max(1, matched.truths)),
    truths: matched.truths,
  };
});
const map50 = round(Object.values(perClass).reduce((sum, { ap50 }) => sum + ap50, 0) / classes.length);

const manifest = {
  name: 'street-drawn',
  version: '1.0.0',
  family: 'gewu-uint8',
  file: 'model.onnx',
  sha256: createHash('sha256').update(readFileSync(values.model)).digest('hex'),
  licence: 'Apache-2.0',
  provenance: 'drawn-scenes',
  input: { name: 'image', width: 320, height: 320, layout: 'NHWC', dtype: 'uint8', color: 'RGB', letterbox: { pad: 114 } },
  outputs: {
    boxes: { name: 'boxes', dtype: 'float32', format: 'x1y1x2y2', unit: 'input pixels' },
    scores: { name: 'scores', dtype: 'float32', range: [0, 1] },
  },
  classes,
  thresholds,
  metrics: {
    map50,
    perClass,
    images: test.length,
    heldOutSeeds: [Number(values['test-seed'])],
    validationSeeds: [Number(values['val-seed'])],
    ignored: `truth boxes with a side under ${SHORT_SIDE_MIN_PX} px of the 640x360 picture or visible under ${VISIBLE_MIN}; boxes found under ${SHORT_SIDE_MIN_PX} px`,
  },
  trainedOn: {
    scenes: 'drawn',
    images: training.images,
    seeds: values['train-seeds'].split(',').map(Number),
    passes: training.epochs,
    minutes: training.minutes,
    renderer: 'simulators/cameras/street',
  },
  parameters: training.parameters,
  notice: {
    en: 'This model has only ever seen drawn streets. It exists for tests, demonstrations and training of people. It must open no case on a real camera.',
    'zh-CN': '本模型只见过程序绘制的街景，仅用于测试、演示和人员培训。不得用于真实摄像机的立案。',
  },
};

mkdirSync(values.out, { recursive: true });
// Renamed into place, the manifest last: a reader that checks the sha256 never takes a torn pair for a model.
copyFileSync(values.model, join(values.out, 'model.onnx.part'));
writeFileSync(join(values.out, 'manifest.json.part'), `${JSON.stringify(manifest, null, 2)}\n`);
renameSync(join(values.out, 'model.onnx.part'), join(values.out, 'model.onnx'));
renameSync(join(values.out, 'manifest.json.part'), join(values.out, 'manifest.json'));
console.log(JSON.stringify({ map50, perClass, thresholds }));
