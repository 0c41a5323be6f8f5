import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { answersOf, type Evaluation, evaluate, readFolder } from '#models/eval/mod.ts';
import { type ImportedDataset, readDataset, SPLITS, writeSplits } from '#models/import/mod.ts';
import { loadManifest, ModelError, type ModelManifest, PROVENANCES, type Provenance } from '#models/mod.ts';
import { type About, weightsOf } from '#models/train/mod.ts';
import { GewuError } from '#service/mod.ts';
import { parseFlags, parseInteger, print, say } from '../command.ts';
import { SHIPPED_MODEL } from '../installation/mod.ts';
import { drawSets } from './draw.ts';
import { trainWith } from './python.ts';
import { release } from './train.ts';

const WORK = '.gewu/import';
const MINUTES = 180;

export const IMPORT_USAGE = `gewu models import DIR [--out models/NAME] [--from DIR] [--steps N] [--minutes ${MINUTES}] [--seed 1] [--threads 2] [--check] [--lenient]
                   [--version 1.0.0] [--rehearse N]
                   [--provenance ${PROVENANCES.join('|')}] [--licence TEXT] [--work ${WORK}] [--json]
  DIR is a dataset in YOLO layout (data.yaml), COCO layout (annotations/*.json) or from verdicts (\`gewu models dataset\`). What is wrong in it is named by file and line; --lenient
  leaves that out and goes on, --check only looks. Then it fine-tunes the weights of --from (the shipped model) on the training pictures,
  chooses thresholds on the validation pictures and measures on the test pictures. --provenance real-scenes says that they show real
  streets: only such a model may ever open cases; a dataset from verdicts says it by itself. --rehearse mixes in so many drawn scenes, so that
  what the dataset does not show is not forgotten: as many as there are pictures to learn from where it is from verdicts, else none.`;

const FAULTS_SHOWN = 40;
const BATCH = 16;
/** Each picture is seen about so often; and bounds, for small and for large datasets. */
const PASSES = 30;
const STEPS = [200, 6000] as const;
/** Of drawn scenes that are mixed in. */
const REHEARSAL_SEED = 1;
/** Below this, figures say hardly anything. */
const PICTURES_FEW = 30;

export async function importDataset(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(
    args,
    {
      out: { type: 'string' },
      from: { type: 'string', default: SHIPPED_MODEL },
      steps: { type: 'string' },
      minutes: { type: 'string', default: String(MINUTES) },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      check: { type: 'boolean', default: false },
      lenient: { type: 'boolean', default: false },
      provenance: { type: 'string' },
      version: { type: 'string', default: '1.0.0' },
      rehearse: { type: 'string' },
      licence: { type: 'string', default: 'unknown: to be filled in' },
      work: { type: 'string', default: WORK },
      json: { type: 'boolean', default: false },
    },
    1,
  );
  const [given] = positionals;
  if (given === undefined) throw new GewuError('GEWU_USAGE', 'gewu models import DIR');
  const dir = resolve(given);
  const dataset = await readDataset(dir);
  const provenance = provenanceOf(values.provenance ?? dataset.origin?.scenes ?? 'unknown');
  tell(dataset);
  if (dataset.faults.length > 0 && !values.lenient)
    throw new ModelError(`${dir}: ${dataset.faults.length} mistakes; mend them, or leave them out by --lenient`);
  if (values.check) {
    if (values.json) print(JSON.stringify(counts(dataset)));
    return 0;
  }
  for (const split of SPLITS)
    if (dataset.splits[split].length === 0) throw new ModelError(`${dir}: no picture for ${split}: more pictures are needed`);
  const name = plainModelName(values.out ?? dir);
  // A work folder of its own for each dataset: an interrupted run goes on only with the pictures that it began with.
  const work = join(resolve(values.work), `${name}-${createHash('sha256').update(dir).digest('hex').slice(0, 8)}`);
  const folders = await writeSplits(dataset, work);
  const before = await loadManifest(values.from);
  const weights = await weightsOf(values.from, before.manifest);
  const run = join(work, 'run');
  await mkdir(run, { recursive: true });
  const rehearsed = rehearsalOf(values.rehearse, dataset);
  const rehearsal = rehearsed === 0 ? [] : [await drawnWith(dataset.classes, rehearsed, resolve(values.work))];
  const through = await trainWith({
    data: [folders.train, ...rehearsal],
    out: run,
    steps:
      values.steps === undefined ? stepsFor(dataset.splits.train.length) : parseInteger('steps', values.steps, 1, 10_000_000),
    minutes: parseInteger('minutes', values.minutes, 1, 100_000),
    seed: parseInteger('seed', values.seed, 0, 2 ** 31),
    threads: parseInteger('threads', values.threads, 1, 64),
    from: { weights, classes: before.manifest.classes },
  });
  if (!through) return 1;
  const out = values.out ?? join('models', name);
  const said = (split: 'val' | 'test') => `${dataset.splits[split].length} pictures of ${basename(dir)}, ${split}`;
  const words = { name, version: values.version, licence: values.licence, provenance };
  const about = aboutImported(words, dataset, { dir, before: before.manifest, rehearsed });
  const after = await release(run, out, about, {
    validation: { dir: folders.val, said: said('val') },
    test: { dir: folders.test, said: said('test') },
    before: before.manifest,
  });
  const known = dataset.classes.every((c) => before.manifest.classes.includes(c));
  const old = known ? await evaluated(values.from, folders.test) : null;
  if (values.json) print(JSON.stringify({ ...after, before: old, out }));
  else print(inWords(out, after, old));
  return 0;
}

function tell(dataset: ImportedDataset): void {
  const { layout, classes, faults } = dataset;
  const { pictures, things } = counts(dataset);
  say(`gewu: ${layout.toUpperCase()} layout, ${classes.length} classes: ${classes.join(', ')}`);
  for (const split of SPLITS) say(`gewu: ${split.padEnd(5)} ${pictures[split]} pictures`);
  for (const [name, n] of Object.entries(things)) say(`gewu: ${name}: ${n} things${n < PICTURES_FEW ? ', which is few' : ''}`);
  for (const fault of faults.slice(0, FAULTS_SHOWN)) say(`gewu: ${fault}`);
  if (faults.length > FAULTS_SHOWN) say(`gewu: and ${faults.length - FAULTS_SHOWN} more`);
}

function counts({ layout, classes, splits, faults }: ImportedDataset) {
  const boxes = SPLITS.flatMap((split) => splits[split].flatMap((p) => p.boxes.filter((b) => !b.unknown)));
  const pictures = Object.fromEntries(SPLITS.map((split) => [split, splits[split].length])) as Record<
    (typeof SPLITS)[number],
    number
  >;
  return {
    layout,
    pictures,
    things: Object.fromEntries(classes.map((c) => [c, boxes.filter((b) => b.class === c).length])),
    faults,
  };
}

function stepsFor(pictures: number): number {
  return Math.round(Math.min(STEPS[1], Math.max(STEPS[0], (PASSES * pictures) / BATCH)));
}

function plainModelName(path: string): string {
  const name = basename(path)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);
  return name || 'imported';
}

function provenanceOf(text: string): Provenance {
  const provenance = PROVENANCES.find((p) => p === text);
  if (provenance === undefined) throw new GewuError('GEWU_USAGE', `--provenance ${text}: ${PROVENANCES.join(', ')} are known`);
  return provenance;
}

/** Masked pictures show no person and nothing around a thing: without other pictures that would be forgotten. */
function rehearsalOf(text: string | undefined, { origin, splits }: ImportedDataset): number {
  if (text !== undefined) return parseInteger('rehearse', text, 0, 100_000);
  return origin === undefined ? 0 : splits.train.length;
}

/** Drawn scenes, all of whose classes the dataset has. Throws ModelError. */
async function drawnWith(classes: readonly string[], images: number, work: string): Promise<string> {
  const [dir = ''] = await drawSets([{ name: 'rehearsal', drawer: 'street', seed: REHEARSAL_SEED, images }], work);
  const unknown = (await readFolder(dir)).classes.filter((name) => !classes.includes(name));
  if (unknown.length > 0) throw new ModelError(`drawn scenes cannot be mixed in: the dataset has no class ${unknown.join(', ')}`);
  return dir;
}

function aboutImported(
  { name, version, licence, provenance }: Pick<About, 'name' | 'version' | 'licence' | 'provenance'>,
  { layout, splits, origin }: ImportedDataset,
  { dir, before, rehearsed }: { dir: string; before: ModelManifest; rehearsed: number },
): About {
  const drawn = provenance !== 'real-scenes';
  return {
    name,
    version,
    licence,
    provenance,
    notice: {
      en: `Fine-tuned on ${splits.train.length} pictures of ${basename(dir)}.${drawn ? ' It must open no case on a real camera.' : ''}`,
      'zh-CN': `在数据集 ${basename(dir)} 的 ${splits.train.length} 张图像上微调。${drawn ? '不得用于真实摄像机的立案。' : ''}`,
    },
    trainedOn: {
      ...{ scenes: provenance, dataset: basename(dir), layout, begunFrom: `${before.name} ${before.version}` },
      ...(rehearsed === 0 ? {} : { rehearsed }),
      ...(origin === undefined ? {} : { fromVerdicts: origin }),
    },
  };
}

async function evaluated(modelDir: string, folder: string): Promise<Evaluation> {
  const model = await loadManifest(modelDir);
  const { classes, pictures } = await readFolder(folder);
  return evaluate(await answersOf(model, pictures), classes, model.manifest.thresholds);
}

function inWords(out: string, after: Evaluation, before: Evaluation | null): string {
  const row = ([name, s]: [string, Evaluation['perClass'][string]]) =>
    `  ${name.padEnd(16)} AP@0.5 ${s.ap50 ?? '-'}  precision ${s.precision}  recall ${s.recall}  things ${s.truths}`;
  const few = after.images < PICTURES_FEW ? `\nmeasured on ${after.images} pictures only: the figures say little` : '';
  const earlier = before === null ? '' : ` (before: ${before.map50})`;
  return (
    [`${out}: mAP@0.5 ${after.map50}${earlier}, mAP ${after.map}`, ...Object.entries(after.perClass).map(row)].join('\n') + few
  );
}
