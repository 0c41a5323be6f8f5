import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answer, answersOf, evaluate, readFolder, SIDE_PX_MIN, thresholdsFrom, VISIBLE_MIN } from '#models/eval/mod.ts';
import type { ModelManifest } from '#models/mod.ts';
import {
  type About,
  type DrawnSet,
  draftOf,
  finishedRun,
  HELD_OUT,
  publish,
  QUIET_VALIDATION,
  RECIPE,
  VALIDATION,
} from '#models/train/mod.ts';
import { parseFlags, parseInteger, print, say } from '../command.ts';
import { ensurePrograms } from '../programs.ts';
import { drawSets } from './draw.ts';
import { TRAINING_PROGRAMS, trainWith } from './python.ts';
import { SEED_VALIDATION, tuneQuiet } from './quiet.ts';

const OUT = '.gewu/models/street-drawn';
const WORK = '.gewu/train';

export const TRAIN_USAGE = `gewu models train [--out ${OUT}] [--work ${WORK}] [--steps ${RECIPE.steps}] [--minutes ${RECIPE.minutesMax}] [--seed 1]
                  [--threads 2] [--images N] [--json]
  Makes the drawn-street model from nothing: draws scenes, trains, exports, chooses thresholds on validation scenes, measures on
  held-out ones, raises alarm thresholds on quiet streets. The schedule counts steps; --minutes only bounds the training of this call, and the same
  command goes on where it was (exit status 1 until it is through). Another --seed beside it uses the same scenes. --images draws so many in all to
  learn from, for a look. Needs Python with torch.`;

export const NOTICE: ModelManifest['notice'] = {
  en: 'This model has only ever seen drawn streets. It exists for tests, demonstrations and training of people. It must open no case on a real camera.',
  'zh-CN': '本模型只见过程序绘制的街景，仅用于测试、演示和人员培训。不得用于真实摄像机的立案。',
};
const VERSION = '1.2.0';
/** Of a set, however few are asked for. */
const IMAGES_MIN = 4;
/** Quiet streets for a look. */
const QUIET_LOOK = { hours: 1, everyS: 30 } as const;

export async function train(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    out: { type: 'string', default: OUT },
    work: { type: 'string', default: WORK },
    steps: { type: 'string', default: String(RECIPE.steps) },
    minutes: { type: 'string', default: String(RECIPE.minutesMax) },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    images: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const all = RECIPE.sets.reduce((sum, set) => sum + set.images, 0);
  const images = values.images === undefined ? all : parseInteger('images', values.images, RECIPE.sets.length, 1_000_000);
  const terms = {
    steps: parseInteger('steps', values.steps, 1, 10_000_000),
    minutes: parseInteger('minutes', values.minutes, 1, 100_000),
    seed: parseInteger('seed', values.seed, 0, 2 ** 31),
    threads: parseInteger('threads', values.threads, 1, 64),
  };
  // Before the drawing, which takes minutes.
  await ensurePrograms(TRAINING_PROGRAMS);
  const share = images / all;
  const scaled = (set: DrawnSet): DrawnSet => ({ ...set, images: Math.max(IMAGES_MIN, Math.round(set.images * share)) });
  const sets = RECIPE.sets.map(scaled);
  const [validation, heldOut] = [scaled(VALIDATION), scaled(HELD_OUT)];
  const timer = minutesFrom(performance.now());
  const folders = await drawSets([...sets, validation, heldOut], values.work);
  timer.lap('drawing');
  const [validationDir, heldOutDir] = folders.splice(sets.length) as [string, string];
  const run = join(values.work, `run-${terms.seed}`);
  await mkdir(run, { recursive: true });
  if (!(await trainWith({ data: folders, out: run, cache: values.work, ...terms }))) return 1;
  timer.lap('training');
  const measured = await release(run, values.out, aboutDrawn(sets), {
    validation: { dir: validationDir, said: saidOf(validation) },
    test: { dir: heldOutDir, said: saidOf(heldOut) },
  });
  const quiet = values.images === undefined ? QUIET_VALIDATION : QUIET_LOOK;
  const alarmThresholds = await tuneQuiet({
    model: values.out,
    ...quiet,
    seed: SEED_VALIDATION,
    street: 'coming',
    work: join(values.work, 'quiet'),
  });
  timer.lap('measuring');
  const result = { ...measured, alarmThresholds, minutes: timer.laps };
  print(values.json ? JSON.stringify(result) : `${values.out}: mAP@0.5 ${measured.map50}, mAP ${measured.map}, ${timer.said}`);
  return 0;
}

/** What each part of a run took, minutes of this call. */
function minutesFrom(beganMs: number) {
  const laps: Record<string, number> = {};
  let lastMs = beganMs;
  return {
    laps,
    lap(name: string): void {
      const nowMs = performance.now();
      laps[name] = Math.round((nowMs - lastMs) / 6000) / 10;
      lastMs = nowMs;
    },
    get said(): string {
      return Object.entries(laps)
        .map(([name, minutes]) => `${name} ${minutes} min`)
        .join(', ');
    },
  };
}

const saidOf = ({ drawer, seed, images }: DrawnSet) => `${images} drawn ${drawer} scenes of seed ${seed}`;

function aboutDrawn(sets: readonly DrawnSet[]): About {
  const trainedOn = { scenes: 'drawn', renderer: 'simulators/cameras/street', sets };
  return { name: 'street-drawn', version: VERSION, licence: 'Apache-2.0', provenance: 'drawn-scenes', notice: NOTICE, trainedOn };
}

/** A folder of pictures, and what it is in words. */
export interface MeasuredOn {
  dir: string;
  said: string;
}

/** Of fewer things no threshold can be chosen. */
const THINGS_MIN = 20;

type Scores = Pick<ModelManifest, 'thresholds' | 'alarmThresholds'>;

/** Where a model goes on from another, that one's scores for the classes of which the pictures show too few things. */
function scoresFrom(answers: readonly Answer[], classes: readonly string[], before: Scores | undefined): Required<Scores> {
  const chosen = thresholdsFrom(answers, classes);
  if (before === undefined) return chosen;
  const { perClass } = evaluate(answers, classes, chosen.thresholds);
  const few = classes.filter((name) => (perClass[name]?.truths ?? 0) < THINGS_MIN);
  const kept = (own: Record<string, number>, earlier: Record<string, number> = {}): Record<string, number> => ({
    ...own,
    ...Object.fromEntries(few.flatMap((name) => (earlier[name] === undefined ? [] : [[name, earlier[name]]]))),
  });
  return {
    thresholds: kept(chosen.thresholds, before.thresholds),
    alarmThresholds: kept(chosen.alarmThresholds, before.alarmThresholds ?? before.thresholds),
  };
}

/** From a finished run to a model folder: thresholds from the one set of pictures, figures from the other. */
export async function release(
  run: string,
  out: string,
  about: About,
  { validation, test, before }: { validation: MeasuredOn; test: MeasuredOn; before?: Scores },
) {
  const finished = await finishedRun(run);
  const model = await draftOf(finished, about);
  const { classes } = model.manifest;
  const look = async ({ dir, said }: MeasuredOn) => {
    say(`gewu: measuring on ${said}`);
    return answersOf(model, (await readFolder(dir)).pictures);
  };
  const scores = scoresFrom(await look(validation), classes, before);
  const evaluation = evaluate(await look(test), classes, scores.thresholds);
  const counted = `things with a shorter side of ${SIDE_PX_MIN} px and more of the picture, seen to ${VISIBLE_MIN} and more`;
  const metrics = { ...evaluation, evaluatedOn: test.said, thresholdsFrom: validation.said, counted };
  await publish(finished, { ...model.manifest, ...scores }, metrics, out);
  return { ...evaluation, ...scores };
}
