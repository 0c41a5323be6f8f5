import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DrawnMoment, DrawnStreets, type DrawnView, momentOf } from '#bench/tracking/mod.ts';
import { type Box, type ModelManifest, PERSON_CLASS } from '#models/mod.ts';
import { GewuError } from '#service/mod.ts';
import { createStreetRenderer, type StreetScript } from '#simulators/cameras/mod.ts';
import { type CityCamera, comingHour, EVENTFUL_MS, eventfulHour, quietCameras, quietHour } from '#simulators/city/mod.ts';
import { say } from '../command.ts';

const HOUR_S = 3600;
/** From one camera's hour of the day to the next one's: a run of a few shows day and night, and 24 show every hour. */
const HOUR_STEP = 7;

/**
 * standing: all that there is stands there from the beginning, and nothing is to be reported. coming: the same, but what may come and
 * go comes within the hour. eventful: things that are to be reported come to the first; its first ten minutes.
 */
export type QuietStreet = 'standing' | 'coming' | 'eventful';

export interface QuietPlan {
  model: string;
  hours: number;
  everyS: number;
  seed: number;
  street: QuietStreet;
  /** Keeps what was seen of each hour there, and looks only at hours that are not there yet. */
  work?: string | undefined;
}

/** What a detector said of one camera-hour, and all that the rules need to judge it. */
export interface SeenHour {
  number: number;
  manifest: ModelManifest;
  camera: CityCamera;
  view: DrawnView;
  moments: readonly Pick<DrawnMoment, 'atMs' | 'detections'>[];
}

/** Times of an hour that are looked at, ms. */
export function timesOf({ everyS, street }: Pick<QuietPlan, 'everyS' | 'street'>): number[] {
  const lastsS = street === 'eventful' ? EVENTFUL_MS / 1000 : HOUR_S;
  return Array.from({ length: Math.floor(lastsS / everyS) }, (_, k) => k * everyS * 1000);
}

/**
 * One camera-hour after the other, each another camera and hour of the day. Returns the model's manifest. Throws
 * GEWU_USAGE where the folder holds what another renderer drew.
 */
export async function eachHour(plan: QuietPlan, use: (hour: SeenHour) => Promise<void> | void): Promise<ModelManifest> {
  const streets = await DrawnStreets.open(plan.model, 1);
  try {
    const { manifest } = streets.model;
    const cameras = quietCameras(plan.seed);
    for (let number = 0; number < plan.hours; number++) {
      const camera = cameras.next().value;
      const hour = HOUR_STEP * number;
      const view = { id: camera.id, pose: camera.pose, script: scriptOf(plan, camera, hour) };
      const look = async () => (await streets.look(view, timesOf(plan))).map(keptOf);
      const moments = await kept(plan, { number, view, manifest }, look);
      await use({ number, manifest, camera, view, moments });
      say(`gewu: ${number + 1} of ${plan.hours} camera-hours`);
    }
    return manifest;
  } finally {
    await streets.close();
  }
}

function scriptOf({ street, seed }: QuietPlan, camera: CityCamera, hour: number): StreetScript {
  const quiet = quietHour(camera, seed, hour);
  if (street === 'coming') return comingHour(quiet, seed, hour);
  return street === 'eventful' ? eventfulHour(camera, quiet, seed, hour) : quiet;
}

type KeptMoment = SeenHour['moments'][number];

interface Kept {
  /** Of a picture of the hour: another renderer draws another one. */
  drawn: string;
  moments: KeptMoment[];
}

/** From the folder, or looked at now and put there. */
async function kept(
  plan: QuietPlan,
  { number, view, manifest }: { number: number; view: DrawnView; manifest: ModelManifest },
  look: () => Promise<KeptMoment[]>,
): Promise<KeptMoment[]> {
  const { work, seed, everyS, street } = plan;
  if (work === undefined) return look();
  const dir = join(work, manifest.sha256.slice(0, 12));
  const file = join(dir, `${seed}-${everyS}s-${street === 'standing' ? '' : `${street}-`}${number}.json`);
  const text = await readFile(file, 'utf8').catch(() => null);
  const drawn = pictureOf(view, street === 'standing' ? 0 : Math.max(...timesOf(plan)));
  if (text !== null) {
    const found = JSON.parse(text) as Kept;
    if (found.drawn === drawn) return found.moments;
    throw new GewuError('GEWU_USAGE', `${file}: this hour is drawn otherwise now; begin in an empty folder`);
  }
  const moments = await look();
  await mkdir(dir, { recursive: true });
  await writeFile(`${file}.part`, JSON.stringify({ drawn, moments } satisfies Kept));
  await rename(`${file}.part`, file);
  return moments;
}

/** Where things come, what is there at first says nothing of them. */
function pictureOf({ pose, script }: DrawnView, atMs: number): string {
  const { rgba } = createStreetRenderer(script.street, pose).render(momentOf(script, atMs));
  return createHash('sha256').update(rgba).digest('hex').slice(0, 16);
}

/** People are no event class, and a tenth of a pixel is finer than any rule: a file is small, and says what was judged. */
function keptOf({ atMs, detections }: DrawnMoment): KeptMoment {
  const things = detections.filter((d) => d.class !== PERSON_CLASS);
  return { atMs, detections: things.map((d) => ({ ...d, score: rounded(d.score, 3), box: boxOf(d.box) })) };
}

const boxOf = ([left, top, right, bottom]: Box): Box => [
  rounded(left, 1),
  rounded(top, 1),
  rounded(right, 1),
  rounded(bottom, 1),
];

const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;
