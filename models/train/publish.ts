import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Evaluation } from '../eval/mod.ts';
import { type LoadedModel, ModelError, type ModelManifest } from '../manifest.ts';

/** What `train.py` says of its run, in training.json. */
export interface TrainingRecord {
  classes: string[];
  images: number;
  steps: number;
  batch: number;
  seed: number;
  passes: number;
  /** By the clock, and of all cores together. */
  minutes: number;
  cpuMinutes: number;
  width: number;
  height: number;
  parameters: number;
}

const MODEL_FILE = 'model.onnx';
const WEIGHTS_FILE = 'weights.npz';
const GREY = 114;

/** What its maker says of a model. */
export interface About {
  name: string;
  version: string;
  licence: string;
  provenance: ModelManifest['provenance'];
  notice: ModelManifest['notice'];
  /** Beside what the training's own record says. */
  trainedOn: Record<string, unknown>;
}

/** A run of `train.py`, finished: its files and its record. Throws ModelError. */
export interface FinishedRun {
  dir: string;
  record: TrainingRecord;
}

export async function finishedRun(dir: string): Promise<FinishedRun> {
  try {
    return { dir, record: JSON.parse(await readFile(join(dir, 'training.json'), 'utf8')) as TrainingRecord };
  } catch (error) {
    throw new ModelError(`${dir}: no finished training: ${(error as Error).message}`, { cause: error });
  }
}

/** The model of a run, as it can be evaluated: its thresholds are still to be chosen. */
export async function draftOf({ dir, record }: FinishedRun, about: About): Promise<LoadedModel> {
  const file = join(dir, MODEL_FILE);
  const bytes = await readFile(file);
  const { classes, width, height, parameters, ...run } = record;
  const manifest: ModelManifest = {
    name: about.name,
    version: about.version,
    family: 'gewu-uint8',
    file: MODEL_FILE,
    sha256: sha256(bytes),
    licence: about.licence,
    provenance: about.provenance,
    input: { name: 'image', width, height, layout: 'NHWC', dtype: 'uint8', color: 'RGB', letterbox: { pad: GREY } },
    outputs: {
      boxes: { name: 'boxes', dtype: 'float32', format: 'x1y1x2y2', unit: 'input pixels' },
      scores: { name: 'scores', dtype: 'float32', range: [0, 1] },
    },
    classes,
    thresholds: Object.fromEntries(classes.map((name) => [name, 0.5])),
    metrics: {},
    trainedOn: { ...about.trainedOn, ...run },
    parameters,
    weights: { file: WEIGHTS_FILE, sha256: sha256(await readFile(join(dir, WEIGHTS_FILE))) },
    notice: about.notice,
  };
  return { manifest, file, bytes };
}

/** What was measured, where, and on what the thresholds were chosen. */
export type Metrics = Evaluation & { evaluatedOn: string; thresholdsFrom: string; counted: string };

/** Makes `out` the model folder of a run. Renamed into place, the manifest last: a reader never takes a torn pair for a model. */
export async function publish({ dir }: FinishedRun, manifest: ModelManifest, metrics: Metrics, out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  for (const name of [MODEL_FILE, WEIGHTS_FILE]) {
    await copyFile(join(dir, name), join(out, `${name}.part`));
    await rename(join(out, `${name}.part`), join(out, name));
  }
  const text = `${JSON.stringify({ ...manifest, metrics }, null, 2)}\n`;
  await writeFile(join(out, 'manifest.json.part'), text);
  await rename(join(out, 'manifest.json.part'), join(out, 'manifest.json'));
}

/** Weights that fine-tuning begins with, checked. Throws ModelError where the model has none. */
export async function weightsOf(dir: string, { name, weights }: ModelManifest): Promise<string> {
  if (weights === undefined) throw new ModelError(`${name} has no weights to go on from: only models trained here have`);
  const file = join(dir, weights.file);
  const bytes = await readFile(file).catch((error: Error) => {
    throw new ModelError(`${file}: ${error.message}`, { cause: error });
  });
  if (sha256(bytes) !== weights.sha256)
    throw new ModelError(`${file}: SHA-256 is ${sha256(bytes)}, the manifest says ${weights.sha256}`);
  return file;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
