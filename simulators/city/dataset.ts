import { parseArgs } from 'node:util';
import { DatasetWriter } from '../cameras/dataset.ts';
import { createStreetRenderer, sceneAt } from '../cameras/mod.ts';
import { diceOf, randomLight } from '../cameras/street/mod.ts';
import { buildDemoCity } from './city.ts';
import { quietCameras, quietHour } from './quiet.ts';
import { createStaging } from './script/mod.ts';

/** Between two pictures of one camera: what stands, stands for some 20 s, so that each is seen once or twice. */
const STEP_MS = 10_000;
const SCRIPT_MS = 100_000;
const CAMERAS = 4;
const PICTURES_PER_CITY = CAMERAS * (SCRIPT_MS / STEP_MS);
/** Of a quiet hour: what stands, stands all the time, so that more of them would show the same things again. */
const PICTURES_PER_HOUR = 2;
const HOUR_MS = 3_600_000;
/** From one camera's hour of the day to the next one's: after 24 cameras every hour was there. */
const HOUR_STEP = 7;

export interface CityDatasetOptions {
  out: string;
  /** Cities `seed`, `seed + 1`, ...: keep clear of the seeds that are run or measured. */
  seed: number;
  images: number;
}

/**
 * The same kind of folder as `writeDataset`, of what the cameras of small cities see while their scripts play: the usual
 * height, pitch and distance of a street camera, with passers-by, decoys and incidents, and long stretches of nothing.
 */
export async function writeCityDataset(
  { out, seed, images }: CityDatasetOptions,
  onProgress: (written: number) => void = () => {},
): Promise<void> {
  const writer = new DatasetWriter({ out, seed });
  for (let written = 0; written < images; ) {
    const citySeed = seed + Math.floor(written / PICTURES_PER_CITY);
    const city = buildDemoCity({ seed: citySeed, cameras: CAMERAS });
    const staging = createStaging(city, { seed: citySeed });
    staging.advance(SCRIPT_MS);
    const dice = diceOf(citySeed, 91);
    for (const camera of city.edges.flatMap((e) => e.cameras)) {
      const renderer = createStreetRenderer(camera.street, camera.pose);
      const actors = staging.scripts.get(camera.id)?.actors ?? [];
      const script = { street: camera.street, light: camera.light, actors };
      for (let ts = STEP_MS / 2; ts < SCRIPT_MS && written < images; ts += STEP_MS) {
        // The same script by day as it is run, and in every other light.
        const light = dice.chance(0.5) ? camera.light : randomLight(dice);
        const scene = { street: camera.street, light, objects: sceneAt(script, ts), ts };
        await writer.add(renderer.render(scene), light);
        onProgress(++written);
      }
    }
  }
  writer.close();
}

/**
 * The same kind of folder of streets with nothing to report, by every hour of the day: what is easily taken for something, as often
 * as a camera has it in view. One camera-hour after the other, two moments of each.
 */
export async function writeQuietDataset(
  { out, seed, images }: CityDatasetOptions,
  onProgress: (written: number) => void = () => {},
): Promise<void> {
  const writer = new DatasetWriter({ out, seed });
  const cameras = quietCameras(seed);
  for (let written = 0, n = 0; written < images; n++) {
    const camera = cameras.next().value;
    const script = quietHour(camera, seed, HOUR_STEP * n);
    const dice = diceOf(seed, n, 96);
    const renderer = createStreetRenderer(script.street, camera.pose);
    for (let k = 0; k < PICTURES_PER_HOUR && written < images; k++) {
      const ts = dice.whole(0, HOUR_MS - 1);
      const scene = { street: script.street, light: script.light, objects: sceneAt(script, ts), ts };
      await writer.add(renderer.render(scene), script.light);
      onProgress(++written);
    }
  }
  writer.close();
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, images: { type: 'string', default: '1200' }, seed: { type: 'string', default: '1000' } },
  });
  if (values.out === undefined) throw new TypeError('--out DIR is missing');
  await writeCityDataset({ out: values.out, images: Number(values.images), seed: Number(values.seed) }, (written) => {
    if (written % 300 === 0) process.stderr.write(`${written} images\n`);
  });
}
