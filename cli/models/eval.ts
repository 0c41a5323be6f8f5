import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, answersOf, breakDown, type ClassScore, type Evaluation, evaluate, readFolder } from '#models/eval/mod.ts';
import { type LoadedModel, loadManifest, ModelError, type ModelManifest } from '#models/mod.ts';
import { HELD_OUT } from '#models/train/mod.ts';
import { writeDataset } from '#simulators/mod.ts';
import { parseFlags, parseInteger, print, say } from '../command.ts';
import { SHIPPED_MODEL } from '../installation/mod.ts';

/** Of two runs of one recipe: what the project calls repeatable. */
const DIFFERENCE_MAX = 0.02;

export const EVAL_USAGE = `gewu models eval [--model DIR] [--data DIR] [--images ${HELD_OUT.images}] [--seed ${HELD_OUT.seed}] [--against DIR] [--json]
  Average precision as COCO counts it, and precision and recall at the model's thresholds, for things of 12 px and more: on drawn
  scenes of a seed that was not trained on, or on a folder in the form of docs/models.md. --json prints one line. --against looks at the same pictures with a second model, for instance
  of the same recipe and another seed, and says by how much the two differ: exit status 1 when mAP@0.5 does by more than ${DIFFERENCE_MAX}.`;

const SAY_EVERY = 100;
/** Characters of a column. */
const COLUMN = 11;

export async function evaluation(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    model: { type: 'string', default: SHIPPED_MODEL },
    data: { type: 'string' },
    images: { type: 'string', default: String(HELD_OUT.images) },
    seed: { type: 'string', default: String(HELD_OUT.seed) },
    against: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const seed = parseInteger('seed', values.seed, 0, 2 ** 31);
  const images = parseInteger('images', values.images, 1, 100_000);
  const models = await Promise.all(
    [values.model, ...(values.against === undefined ? [] : [values.against])].map((dir) => loadManifest(dir)),
  );
  const looked = async (dir: string) => {
    const seen: Looked[] = [];
    for (const model of models) seen.push(await look(model, dir));
    return seen;
  };
  const [one, other] = values.data === undefined ? await onHeldOut(seed, images, looked) : await looked(values.data);
  if (one === undefined) throw new Error('no model');
  const apart = other === undefined ? null : differenceOf(one.result, other.result);
  if (values.json)
    print(JSON.stringify(apart === null ? one.result : { ...one.result, against: other?.result, difference: apart }));
  else print([one, other].flatMap((l) => (l === undefined ? [] : inWords(l))).join('\n\n'));
  if (apart === null) return 0;
  say(`gewu models eval: mAP@0.5 ${apart.map50} apart, mAP ${apart.map}, classes up to ${apart.classMost}`);
  return apart.map50 <= DIFFERENCE_MAX ? 0 : 1;
}

/** What a model made of a folder of pictures. */
interface Looked {
  manifest: ModelManifest;
  answers: Answer[];
  result: Evaluation;
}

async function look(model: LoadedModel, dir: string): Promise<Looked> {
  const { manifest } = model;
  const { classes, thresholds } = manifest;
  const folder = await readFolder(dir);
  const unknown = folder.classes.filter((name) => !classes.includes(name));
  if (unknown.length > 0) throw new ModelError(`${dir}: ${manifest.name} does not know ${unknown.join(', ')}`);
  const answers = await answersOf(model, folder.pictures, (done) => {
    if (done % SAY_EVERY === 0) say(`gewu: ${done} of ${folder.pictures.length} pictures looked at`);
  });
  return { manifest, answers, result: evaluate(answers, classes, thresholds) };
}

/** Sizes of the differences; of the classes the largest, in average precision at 0.5. */
function differenceOf(a: Evaluation, b: Evaluation) {
  const apart = (x: number | null, y: number | null): number => Math.round(Math.abs((x ?? 0) - (y ?? 0)) * 1000) / 1000;
  const classes = Object.keys(a.perClass).map((name) => apart(a.perClass[name]?.ap50 ?? 0, b.perClass[name]?.ap50 ?? 0));
  return { map50: apart(a.map50, b.map50), map: apart(a.map, b.map), classMost: Math.max(...classes) };
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

function inWords({ result, answers, manifest: { classes, thresholds, name, version } }: Looked): string {
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
