import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, answersOf, breakDown, type ClassScore, type Evaluation, evaluate, readFolder } from '#models/eval/mod.ts';
import { loadManifest, ModelError, type ModelManifest } from '#models/mod.ts';
import { HELD_OUT } from '#models/train/mod.ts';
import { writeDataset } from '#simulators/mod.ts';
import { parseFlags, parseInteger, print, say } from '../command.ts';
import { SHIPPED_MODEL } from '../installation/mod.ts';

export const EVAL_USAGE = `gewu models eval [--model DIR] [--data DIR] [--images ${HELD_OUT.images}] [--seed ${HELD_OUT.seed}] [--json]
  Average precision as COCO counts it, and precision and recall at the model's thresholds, for things of 12 px and more: on drawn
  scenes of a seed that was not trained on, or on a folder in the form of docs/models.md. --json prints one line.`;

const SAY_EVERY = 100;
/** Characters of a column. */
const COLUMN = 11;

export async function evaluation(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    model: { type: 'string', default: SHIPPED_MODEL },
    data: { type: 'string' },
    images: { type: 'string', default: String(HELD_OUT.images) },
    seed: { type: 'string', default: String(HELD_OUT.seed) },
    json: { type: 'boolean', default: false },
  });
  const seed = parseInteger('seed', values.seed, 0, 2 ** 31);
  const images = parseInteger('images', values.images, 1, 100_000);
  const model = await loadManifest(values.model);
  const { classes, thresholds } = model.manifest;
  const look = async (dir: string) => {
    const folder = await readFolder(dir);
    const unknown = folder.classes.filter((name) => !classes.includes(name));
    if (unknown.length > 0) throw new ModelError(`${dir}: ${model.manifest.name} does not know ${unknown.join(', ')}`);
    return answersOf(model, folder.pictures, (done) => {
      if (done % SAY_EVERY === 0) say(`gewu: ${done} of ${folder.pictures.length} pictures looked at`);
    });
  };
  const answers = values.data === undefined ? await onHeldOut(seed, images, look) : await look(values.data);
  const result = evaluate(answers, classes, thresholds);
  print(values.json ? JSON.stringify(result) : inWords(result, answers, model.manifest));
  return 0;
}

/** Draws them into a folder that is gone afterwards. */
async function onHeldOut<T>(seed: number, images: number, use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'gewu-eval-'));
  try {
    await writeDataset({ out: dir, seed, images }, (done) => {
      if (done % SAY_EVERY === 0) say(`gewu: ${done} of ${images} pictures drawn`);
    });
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const shown = (value: number | null): string => (value === null ? '-' : value.toFixed(3)).padStart(COLUMN);

function inWords(result: Evaluation, answers: readonly Answer[], { classes, thresholds, name, version }: ModelManifest): string {
  const row = (label: string, s: ClassScore) =>
    `${label.padEnd(16)}${shown(s.ap50)}${shown(s.ap)}${shown(s.precision)}${shown(s.recall)}${String(s.truths).padStart(COLUMN)}`;
  const means = ({ evaluation: e, name: label }: { evaluation: Evaluation; name: string }) => {
    const scores = Object.values(e.perClass).filter((s) => s.truths > 0);
    const mean = (of: (s: ClassScore) => number) => scores.reduce((sum, s) => sum + of(s), 0) / Math.max(1, scores.length);
    const truths = scores.reduce((sum, s) => sum + s.truths, 0);
    return row(label, { ap50: e.map50, ap: e.map, precision: mean((s) => s.precision), recall: mean((s) => s.recall), truths });
  };
  const head = ['AP@0.5', 'AP', 'precision', 'recall', 'things'].map((h) => h.padStart(COLUMN)).join('');
  return [
    `${name} ${version} on ${result.images} pictures; precision and recall at the model's thresholds`,
    `${''.padEnd(16)}${head}`,
    ...classes.map((c) => row(c, result.perClass[c] as ClassScore)),
    means({ name: 'all', evaluation: result }),
    '',
    ...breakDown(answers, classes, thresholds).map(means),
  ].join('\n');
}
