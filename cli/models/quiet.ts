import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { momentOf } from '#bench/tracking/mod.ts';
import type { Incident } from '#edge/vision/mod.ts';
import { type ModelManifest, PERSON_CLASS } from '#models/mod.ts';
import { GewuError } from '#service/mod.ts';
import { canvasOf, createStreetRenderer } from '#simulators/cameras/mod.ts';
import { parseFlags, parseInteger, print, say } from '../command.ts';
import { SHIPPED_MODEL, zoneConfidence } from '../installation/mod.ts';
import { eachHour, type QuietPlan, type SeenHour, timesOf } from './quiet_hours.ts';
import { type Judging, raisedIn } from './quiet_judge.ts';
import { things } from './quiet_things.ts';

const HOURS = 240;
/** Simulated seconds between two pictures. */
const EVERY_S = 5;
/** Streets that figures come from, and those that scores are chosen on; no model has seen either. */
const SEED_TEST = 5001;
export const SEED_VALIDATION = 6001;
const PER_CAMERA_DAY_MAX = 0.1;
/** Scores that are tried. */
const SCORES: readonly number[] = Array.from({ length: 15 }, (_, n) => (25 + 5 * n) / 100);

export const QUIET_USAGE = `gewu models quiet [--model DIR] [--hours ${HOURS}] [--every ${EVERY_S}] [--seed ${SEED_TEST}] [--coming|--things|--tune]
                  [--work DIR] [--show DIR] [--json]
  Camera-hours of streets with nothing to report and much that is easily taken for it: drawn pictures straight into detector, tracks and
  zones with the catalogue's dwell times, on a clock of their own, one picture every ${EVERY_S} simulated seconds (docs/models.md says why that is sound). At
  most ${PER_CAMERA_DAY_MAX} false alarms a camera-day and class. --coming: what may come and go (vans, terraces, umbrellas, wet
  patches, groups) is not there from the beginning and comes within the hour. --things: the other half, which share of what is to be reported and comes
  to these streets raises its event. --tune looks at other streets (seed ${SEED_VALIDATION}) instead, and raises the
  model's alarmThresholds to the lowest score that kept quiet. --work keeps what was seen of each hour, and the same command goes on where it was,
  or judges the same pictures by other scores or rules at once. --show draws each false alarm into a picture.`;

function streetOf({ coming, things, tune }: Record<'coming' | 'things' | 'tune', boolean>): QuietPlan['street'] {
  if (Number(coming) + Number(things) + Number(tune) > 1) throw new GewuError('GEWU_USAGE', 'one of --coming, --things, --tune');
  if (things) return 'eventful';
  return coming || tune ? 'coming' : 'standing';
}

/** The line that a run ends with. */
export interface QuietFigures {
  cameraHours: number;
  pictures: number;
  everyS: number;
  falseAlarms: number;
  perClass: Record<string, { falseAlarms: number; perCameraDay: number }>;
  alarms: FalseAlarm[];
}

/** Where to look for one: `--seed`, the camera-hour from 0 on, and the time in it. */
export interface FalseAlarm {
  hour: number;
  detects: string;
  atS: number;
  score: number;
  /** Fractions of the picture. */
  box: Incident['box'];
}

export async function quiet(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    model: { type: 'string', default: SHIPPED_MODEL },
    hours: { type: 'string', default: String(HOURS) },
    every: { type: 'string', default: String(EVERY_S) },
    seed: { type: 'string' },
    coming: { type: 'boolean', default: false },
    things: { type: 'boolean', default: false },
    tune: { type: 'boolean', default: false },
    work: { type: 'string' },
    show: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const plan: QuietPlan = {
    model: values.model,
    hours: parseInteger('hours', values.hours, 1, 100_000),
    everyS: parseInteger('every', values.every, 1, 30),
    seed: parseInteger('seed', values.seed ?? String(values.tune ? SEED_VALIDATION : SEED_TEST), 0, 2 ** 31),
    street: streetOf(values),
    work: values.work,
  };
  if (values.tune) return tune(plan, values.json);
  if (values.things) return things(plan, values.json);
  const figures = await runQuiet(plan, values.show);
  print(values.json ? JSON.stringify(figures) : JSON.stringify(figures, null, 2));
  const loud = Object.entries(figures.perClass).filter(([, c]) => c.perCameraDay > PER_CAMERA_DAY_MAX);
  for (const [name, c] of loud) say(`gewu models quiet: missed: ${name}: ${c.perCameraDay} false alarms a camera-day`);
  return loud.length === 0 ? 0 : 1;
}

/** False alarms at the scores that the model's zones ask for. */
export async function runQuiet(plan: QuietPlan, show?: string): Promise<QuietFigures> {
  const alarms: FalseAlarm[] = [];
  const manifest = await eachHour(plan, async (hour) => {
    const confidenceMin = (detects: string): number => zoneConfidence(hour.manifest, detects);
    for (const alarm of alarmsOf(hour, { everyS: plan.everyS, confidenceMin })) {
      alarms.push(alarm);
      say(`gewu: false alarm: ${alarm.detects} in camera-hour ${alarm.hour} after ${alarm.atS} s, score ${alarm.score}`);
      if (show !== undefined) await draw(hour, alarm, show);
    }
  });
  const perClass = Object.fromEntries(
    reported(manifest).map((name) => {
      const falseAlarms = alarms.filter((a) => a.detects === name).length;
      return [name, { falseAlarms, perCameraDay: Math.round((falseAlarms / (plan.hours / 24)) * 1000) / 1000 }];
    }),
  );
  const pictures = plan.hours * timesOf(plan).length;
  return { cameraHours: plan.hours, pictures, everyS: plan.everyS, falseAlarms: alarms.length, perClass, alarms };
}

const reported = ({ classes }: ModelManifest): string[] => classes.filter((name) => name !== PERSON_CLASS);

async function tune(plan: QuietPlan, json: boolean): Promise<number> {
  const alarmThresholds = await tuneQuiet(plan);
  print(
    json ? JSON.stringify({ cameraHours: plan.hours, alarmThresholds }) : `${plan.model}: ${JSON.stringify(alarmThresholds)}`,
  );
  return 0;
}

/** Raises the model's alarmThresholds, in its manifest, to what these streets ask for; returns them. */
export async function tuneQuiet(plan: QuietPlan): Promise<Record<string, number>> {
  const scores = await quietScores(plan);
  const file = join(plan.model, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as ModelManifest;
  // What pictures asked for stays: a street on which nothing was taken for a class says nothing of how sure one has to be.
  const raised = Object.entries(scores).map(([name, score]) => [name, Math.max(score, manifest.alarmThresholds?.[name] ?? 0)]);
  const alarmThresholds: Record<string, number> = { ...manifest.alarmThresholds, ...Object.fromEntries(raised) };
  const alarmThresholdsFrom = `${plan.hours} quiet camera-hours of seed ${plan.seed} on which things come, a picture every ${plan.everyS} s`;
  const metrics = { ...(manifest.metrics as object), alarmThresholdsFrom };
  await writeFile(`${file}.part`, `${JSON.stringify({ ...manifest, alarmThresholds, metrics }, null, 2)}\n`);
  await rename(`${file}.part`, file);
  return alarmThresholds;
}

/**
 * By class, the lowest of the scores from which on, and at all above it, these streets raised no more than they may, by a camera that
 * knows nothing of them: dwell times below a minute are over before it does.
 */
export async function quietScores(plan: QuietPlan): Promise<Record<string, number>> {
  const counted = SCORES.map(() => new Map<string, number>());
  const manifest = await eachHour(plan, (hour) => {
    for (const [n, score] of SCORES.entries()) {
      const sum = counted[n] as Map<string, number>;
      const judging = { everyS: plan.everyS, confidenceMin: () => score, isNew: true };
      for (const { detects } of alarmsOf(hour, judging)) sum.set(detects, (sum.get(detects) ?? 0) + 1);
    }
  });
  const most = (PER_CAMERA_DAY_MAX * plan.hours) / 24;
  return Object.fromEntries(
    reported(manifest).map((name) => {
      const loudest = SCORES.findLastIndex((_, n) => (counted[n]?.get(name) ?? 0) > most);
      return [name, SCORES[Math.min(SCORES.length - 1, loudest + 1)] as number];
    }),
  );
}

/** What zones with these scores would have raised in the hour. */
function alarmsOf(hour: SeenHour, judging: Judging): FalseAlarm[] {
  return raisedIn(hour, judging).map(({ incident: { rule, box, score }, atMs }) => ({
    ...{ hour: hour.number, detects: rule.detects, atS: atMs / 1000 },
    ...{ score: Math.round(score * 1000) / 1000, box },
  }));
}

const FRAME_PX = 2;

/** The picture in which it was raised, framed. */
async function draw({ view: { pose, script } }: SeenHour, { hour, detects, atS, box }: FalseAlarm, dir: string): Promise<void> {
  const canvas = canvasOf(createStreetRenderer(script.street, pose).render(momentOf(script, atS * 1000)));
  const ctx = canvas.getContext('2d');
  ctx.strokeStyle = 'red';
  ctx.lineWidth = FRAME_PX;
  const [left, top, right, bottom] = box;
  const { width, height } = canvas;
  ctx.strokeRect(left * width, top * height, (right - left) * width, (bottom - top) * height);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${detects}-${hour}-${atS}.png`), await canvas.encode('png'));
}
