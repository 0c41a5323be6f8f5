import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DrawnMoment, DrawnStreets, type DrawnView, momentOf } from '#bench/tracking/mod.ts';
import { type Box, type ModelManifest, PERSON_CLASS } from '#models/mod.ts';
import { GewuError } from '#service/mod.ts';
import { createStreetRenderer } from '#simulators/cameras/mod.ts';
import { type CityCamera, quietCameras, quietHour } from '#simulators/city/mod.ts';
import { say } from '../command.ts';

const HOUR_S = 3600;
/** From one camera's hour of the day to the next one's: a run of a few shows day and night, and 24 show every hour. */
const HOUR_STEP = 7;

export interface QuietPlan {
  model: string;
  hours: number;
  everyS: number;
  seed: number;
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
export function timesOf(everyS: number): number[] {
  return Array.from({ length: Math.floor(HOUR_S / everyS) }, (_, k) => k * everyS * 1000);
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
      const view = { id: camera.id, pose: camera.pose, script: quietHour(camera, plan.seed, HOUR_STEP * number) };
      const look = async () => (await streets.look(view, timesOf(plan.everyS))).map(keptOf);
      const moments = await kept(plan, { number, view, manifest }, look);
      await use({ number, manifest, camera, view, moments });
      say(`gewu: ${number + 1} of ${plan.hours} camera-hours`);
    }
    return manifest;
  } finally {
    await streets.close();
  }
}

type KeptMoment = SeenHour['moments'][number];

interface Kept {
  /** Of the hour's first picture: another renderer draws another one. */
  drawn: string;
  moments: KeptMoment[];
}

/** From the folder, or looked at now and put there. */
async function kept(
  { work, seed, everyS }: QuietPlan,
  { number, view, manifest }: { number: number; view: DrawnView; manifest: ModelManifest },
  look: () => Promise<KeptMoment[]>,
): Promise<KeptMoment[]> {
  if (work === undefined) return look();
  const dir = join(work, manifest.sha256.slice(0, 12));
  const file = join(dir, `${seed}-${everyS}s-${number}.json`);
  const text = await readFile(file, 'utf8').catch(() => null);
  const drawn = firstPictureOf(view);
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

function firstPictureOf({ pose, script }: DrawnView): string {
  const { rgba } = createStreetRenderer(script.street, pose).render(momentOf(script, 0));
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
