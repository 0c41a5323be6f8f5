import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cameraOfView, type DrawnMoment, DrawnStreets, type DrawnView } from '#bench/tracking/mod.ts';
import { CameraView, ZoneWatch } from '#edge/vision/mod.ts';
import { wallClock } from '#grid/mod.ts';
import type { ModelManifest } from '#models/mod.ts';
import { buildDemoCity, type CityCamera, quietHour, zonesOf } from '#simulators/city/mod.ts';
import { parseFlags, parseInteger, print, say } from '../command.ts';
import { SHIPPED_MODEL, zoneConfidence } from '../installation/mod.ts';

const HOURS = 240;
/** Simulated seconds between two pictures. */
const EVERY_S = 5;
/** Streets that figures come from, and those that scores are chosen on; no model has seen either. */
const SEED_TEST = 5001;
const SEED_VALIDATION = 6001;
const PER_CAMERA_DAY_MAX = 0.1;
const HOUR_MS = 3_600_000;
const TIME_ZONE = 'Asia/Shanghai';
/** Scores that are tried. */
const SCORES: readonly number[] = Array.from({ length: 15 }, (_, n) => (25 + 5 * n) / 100);

export const QUIET_USAGE = `gewu models quiet [--model DIR] [--hours ${HOURS}] [--every ${EVERY_S}] [--seed ${SEED_TEST}] [--tune] [--json]
  Camera-hours of streets with nothing to report and much that is easily taken for it: drawn pictures straight into detector, tracks and
  zones with the catalogue's dwell times, on a clock of their own, one picture every ${EVERY_S} simulated seconds (docs/models.md says why that is sound). At
  most ${PER_CAMERA_DAY_MAX} false alarms a camera-day and class. --tune looks at other streets (seed ${SEED_VALIDATION}) instead, and raises the
  model's alarmThresholds to the lowest score that kept quiet.`;

/** The line that a run ends with. */
export interface QuietFigures {
  cameraHours: number;
  pictures: number;
  everyS: number;
  falseAlarms: number;
  perClass: Record<string, { falseAlarms: number; perCameraDay: number }>;
}

export async function quiet(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    model: { type: 'string', default: SHIPPED_MODEL },
    hours: { type: 'string', default: String(HOURS) },
    every: { type: 'string', default: String(EVERY_S) },
    seed: { type: 'string' },
    tune: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const plan: QuietPlan = {
    model: values.model,
    hours: parseInteger('hours', values.hours, 1, 100_000),
    everyS: parseInteger('every', values.every, 1, 30),
    seed: parseInteger('seed', values.seed ?? String(values.tune ? SEED_VALIDATION : SEED_TEST), 0, 2 ** 31),
  };
  if (values.tune) return tune(plan, values.json);
  const figures = await runQuiet(plan);
  print(values.json ? JSON.stringify(figures) : JSON.stringify(figures, null, 2));
  const loud = Object.entries(figures.perClass).filter(([, c]) => c.perCameraDay > PER_CAMERA_DAY_MAX);
  for (const [name, c] of loud) say(`gewu models quiet: missed: ${name}: ${c.perCameraDay} false alarms a camera-day`);
  return loud.length === 0 ? 0 : 1;
}

export interface QuietPlan {
  model: string;
  hours: number;
  everyS: number;
  seed: number;
}

/** False alarms at the scores that the model's zones ask for. */
export async function runQuiet(plan: QuietPlan): Promise<QuietFigures> {
  const counted = new Map<string, number>();
  const manifest = await eachHour(plan, (hour) => {
    const alarms = alarmsOf(hour, plan.everyS, (detects) => zoneConfidence(hour.manifest, detects));
    for (const [name, n] of alarms) counted.set(name, (counted.get(name) ?? 0) + n);
  });
  const names = manifest.classes.filter((name) => name !== 'person');
  const perClass = Object.fromEntries(
    names.map((name) => {
      const falseAlarms = counted.get(name) ?? 0;
      return [name, { falseAlarms, perCameraDay: Math.round((falseAlarms / (plan.hours / 24)) * 1000) / 1000 }];
    }),
  );
  const pictures = plan.hours * timesOf(plan.everyS).length;
  const falseAlarms = [...counted.values()].reduce((sum, n) => sum + n, 0);
  return { cameraHours: plan.hours, pictures, everyS: plan.everyS, falseAlarms, perClass };
}

async function tune(plan: QuietPlan, json: boolean): Promise<number> {
  const scores = await quietScores(plan);
  const file = join(plan.model, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as ModelManifest;
  // What pictures asked for stays: a street on which nothing was taken for a class says nothing of how sure one has to be.
  const raised = Object.entries(scores).map(([name, score]) => [name, Math.max(score, manifest.alarmThresholds?.[name] ?? 0)]);
  const alarmThresholds: Record<string, number> = { ...manifest.alarmThresholds, ...Object.fromEntries(raised) };
  await writeFile(`${file}.part`, `${JSON.stringify({ ...manifest, alarmThresholds }, null, 2)}\n`);
  await rename(`${file}.part`, file);
  print(json ? JSON.stringify({ cameraHours: plan.hours, alarmThresholds }) : `${file}: ${JSON.stringify(alarmThresholds)}`);
  return 0;
}

/** By class, the lowest of the scores from which on, and at all above it, these streets raised no more than they may. */
export async function quietScores(plan: QuietPlan): Promise<Record<string, number>> {
  const counted = SCORES.map(() => new Map<string, number>());
  const manifest = await eachHour(plan, (hour) => {
    for (const [n, score] of SCORES.entries()) {
      const sum = counted[n] as Map<string, number>;
      for (const [name, alarms] of alarmsOf(hour, plan.everyS, () => score)) sum.set(name, (sum.get(name) ?? 0) + alarms);
    }
  });
  const most = (PER_CAMERA_DAY_MAX * plan.hours) / 24;
  const names = manifest.classes.filter((name) => name !== 'person');
  return Object.fromEntries(
    names.map((name) => {
      const loudest = SCORES.findLastIndex((_, n) => (counted[n]?.get(name) ?? 0) > most);
      return [name, SCORES[Math.min(SCORES.length - 1, loudest + 1)] as number];
    }),
  );
}

interface Hour {
  manifest: ModelManifest;
  camera: CityCamera;
  view: DrawnView;
  moments: readonly DrawnMoment[];
}

/** Draws and looks at one camera-hour after the other, each another camera and hour of the day. */
async function eachHour({ model, hours, everyS, seed }: QuietPlan, use: (hour: Hour) => void): Promise<ModelManifest> {
  const streets = await DrawnStreets.open(model, 1);
  try {
    const { manifest } = streets.model;
    const cameras = camerasFrom(seed);
    for (let n = 0; n < hours; n++) {
      const camera = cameras.next().value;
      // A step of 7 hours: a run of a few shows day and night, and 24 show every hour.
      const view = { id: camera.id, pose: camera.pose, script: quietHour(camera, seed, 7 * n) };
      const moments = await streets.look(view, timesOf(everyS));
      use({ manifest, camera, view, moments });
      say(`gewu: ${n + 1} of ${hours} camera-hours`);
    }
    return manifest;
  } finally {
    await streets.close();
  }
}

function* camerasFrom(seed: number): Generator<CityCamera, never> {
  for (let city = seed; ; city++) yield* buildDemoCity({ seed: city, sensors: 0 }).edges.flatMap((e) => e.cameras);
}

function timesOf(everyS: number): number[] {
  return Array.from({ length: Math.floor(HOUR_MS / 1000 / everyS) }, (_, k) => k * everyS * 1000);
}

/** What zones with these scores would have raised in the hour, by class. */
function alarmsOf({ manifest, camera, view, moments }: Hour, everyS: number, confidenceMin: (detects: string) => number) {
  const zones = zonesOf(camera, confidenceMin);
  const { camera: described, ground } = cameraOfView(view, zones);
  const frameMs = everyS * 1000;
  const watch = new ZoneWatch({ zones, frameMs });
  const cameraView = new CameraView({ camera: described, model: manifest, ground, watch, prefix: view.id, frameMs });
  const wall = wallClock(TIME_ZONE);
  const alarms = new Map<string, number>();
  for (const { atMs, detections } of moments) {
    const { decisions } = cameraView.look(view.pose, detections, { at: atMs, ms: atMs, wall: wall(atMs) });
    for (const { kind, incident } of decisions)
      if (kind === 'raise') alarms.set(incident.rule.detects, (alarms.get(incident.rule.detects) ?? 0) + 1);
  }
  return alarms;
}
