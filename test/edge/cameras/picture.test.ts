import { readdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { GRACE_MS, PictureCheck, type PictureFault } from '#edge/cameras/picture.ts';
import { Reference } from '#edge/cameras/reference.ts';
import { type Frame, FrameSource } from '#edge/cameras/source.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import {
  createStreetRenderer,
  RtspServer,
  SimulatedCamera,
  type StreetScript,
  sceneAt,
  stageStreet,
} from '#simulators/cameras/mod.ts';
import type { CameraPose, Light } from '#simulators/cameras/scene.ts';
import { tempDir } from '#test/support/temp.ts';
import { until } from '#test/support/until.ts';
import { POSE, STREET } from '../vision/street.ts';
import { PASSWORD, PATH, USERNAME } from './painted.ts';
import { greyPicture, lumaOf } from './pictures.ts';

vi.setConfig({ testTimeout: 600_000 });

const DAY: Light = { daylight: 1, rain: 0, sunHeadingDeg: 200, shadow: 0.4 };
const WEATHERS: Readonly<Record<string, Light>> = {
  day: DAY,
  dusk: { ...DAY, daylight: 0.3, shadow: 0 },
  night: { ...DAY, daylight: 0, shadow: 0 },
  rain: { ...DAY, daylight: 0.6, rain: 1, shadow: 0 },
  'rain at night': { ...DAY, daylight: 0, rain: 1, shadow: 0 },
  'low sun': { ...DAY, daylight: 0.8, sunHeadingDeg: 10, shadow: 0.8, glare: 1 },
  wind: { ...DAY, wind: 1 },
};
/** `GEWU_HOURS=6` looks so long at each of the weathers, at a picture a second; the suite takes a taste of it. */
const LOOKS = Number(process.env.GEWU_HOURS ?? 0) * 3600 || 25;
const LOOK_MS = 1000;

function script(light: Light, perMinute: number): StreetScript {
  return stageStreet({
    street: STREET,
    light,
    seed: 5,
    stretch: [-10, 30],
    durationMs: LOOKS * LOOK_MS,
    incidents: [],
    walkersPerMinute: perMinute,
    carsPerMinute: perMinute,
    decoys: 2,
  });
}

/** A look at the street at a time. */
function filmOf(pose: CameraPose, staged: StreetScript) {
  const renderer = createStreetRenderer(STREET, pose);
  const look = lumaOf(pose);
  return (ms: number) => {
    const { street, light } = staged;
    return look(renderer.render({ street, light, objects: sceneAt(staged, ms), ts: ms }).rgba);
  };
}

async function checkOf(dir?: string, graceMs = GRACE_MS): Promise<PictureCheck> {
  const reference = new Reference({ dir: dir ?? (await tempDir()), camera: 'cam-01', log: silentLog });
  await reference.load();
  onTestFinished(() => reference.saved());
  return new PictureCheck({ reference, graceMs });
}

test('nothing is wrong with a street by day, at night, in rain, in a low sun, in wind, full of people or quiet', async () => {
  const check = await checkOf();
  const found = new Set<string>();
  let nowMs = 0;
  const busy = Object.entries(WEATHERS).map(([name, light]) => ({ name, light, perMinute: 30 }));
  for (const { name, light, perMinute } of [...busy, { name: 'quiet night', light: WEATHERS.night as Light, perMinute: 0 }]) {
    const film = filmOf(POSE, script(light, perMinute));
    for (let n = 0; n < LOOKS; n++) {
      nowMs += LOOK_MS;
      // The canvas gives memory back between turns of the event loop only: without one, hours of pictures stay.
      await setImmediate();
      const { usable, fault } = check.look(film(n * LOOK_MS), nowMs);
      if (fault !== null || !usable) found.add(`${name}: ${fault}`);
    }
  }
  expect([...found]).toEqual([]);
  console.log(`${(nowMs / 3_600_000).toFixed(2)} h of street without a false alarm`);
});

test('a camera that was turned is told after a minute, also when the node was started anew; its reference can be renewed', async () => {
  const dir = await tempDir();
  const film = filmOf(POSE, script(DAY, 20));
  const check = await checkOf(dir);
  for (let n = 0; n < 25; n++) expect(check.look(film(n * LOOK_MS), n * LOOK_MS).fault).toBeNull();
  await until(async () => (await readdir(dir)).includes('cam-01.json'));
  const again = await checkOf(dir);
  const turned = filmOf({ ...POSE, headingDeg: POSE.headingDeg + 8 }, script(WEATHERS.rain as Light, 20));
  const told: number[] = [];
  for (let n = 0; n < 100; n++) if (again.look(turned(n * LOOK_MS), n * LOOK_MS).fault === 'moved') told.push(n);
  expect(told[0]).toBeGreaterThanOrEqual(60);
  expect(told[0]).toBeLessThan(85);
  await again.renew();
  for (let n = 0; n < 100; n++) expect(again.look(turned(n * LOOK_MS), n * LOOK_MS).fault).toBeNull();
});

test('a picture of another size is told', async () => {
  const check = await checkOf();
  const film = filmOf(POSE, script(DAY, 0));
  for (let n = 0; n < 25; n++) check.look(film(n * LOOK_MS), n * LOOK_MS);
  const smaller = filmOf({ ...POSE, widthPx: 320, heightPx: 180 }, script(DAY, 0));
  const faults = Array.from({ length: 40 }, (_, n) => check.look(smaller(n * LOOK_MS), (25 + n) * LOOK_MS).fault);
  expect(faults.at(-1)).toBe('resolution');
});

/** Pictures a second of the real stream; each counts for a second of the check's time. */
const FPS = 15;
const FAULTS: readonly Exclude<PictureFault, 'resolution'>[] = ['black', 'overexposed', 'covered', 'moved', 'blurred', 'frozen'];

/** A quarter of what they are: they are waited for in full above, on drawn pictures. */
const SHORT_MS = Object.fromEntries(Object.entries(GRACE_MS).map(([fault, ms]) => [fault, ms / 4])) as typeof GRACE_MS;

test('each fault of a real stream is told after its grace time, and its end', async () => {
  const server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  await server.start();
  const config = {
    id: 'cam-01',
    pose: POSE,
    script: script(DAY, 10),
    fps: FPS,
    mount: PATH,
    username: USERNAME,
    password: PASSWORD,
  };
  const camera = new SimulatedCamera({
    config,
    server,
    createRenderer: createStreetRenderer,
    log: silentLog,
    clock: systemClock,
  });
  await camera.start();
  const check = await checkOf(undefined, SHORT_MS);
  let pictures = 0;
  let fault: PictureFault | null = null;
  const source: FrameSource = new FrameSource({
    address: { id: 'cam-01', url: camera.url, username: USERNAME, password: PASSWORD, allowLocalAddress: true, transport: 'tcp' },
    timing: { fps: FPS },
    format: { input: { width: 32, height: 32, letterbox: null }, fullWidthMax: 1280 },
    log: silentLog,
    clock: systemClock,
    onFrame: (frame: Frame) => {
      ({ fault } = check.look(frame.full, ++pictures * LOOK_MS));
      source.release(frame);
    },
    onFailure: () => {},
  });
  onTestFinished(async () => {
    await source.stop();
    await camera.stop();
    await server.stop();
  });
  await source.start();
  const patience = { timeoutMs: 120_000 };
  await until(() => pictures >= 30, patience);
  for (const wanted of FAULTS) {
    expect(fault).toBeNull();
    const [before, seen] = [pictures, new Set<PictureFault | null>()];
    camera.setPictureFault(wanted);
    await until(() => {
      seen.add(fault);
      return fault !== null;
    }, patience);
    expect([...seen]).toEqual([null, wanted]);
    expect((pictures - before) * LOOK_MS).toBeGreaterThanOrEqual(SHORT_MS[wanted] - 2 * LOOK_MS);
    camera.setPictureFault(null);
    await until(() => fault === null, patience);
  }
});

test('a look costs little', () => {
  const picture = greyPicture(1280, 720, 90);
  const reference = new Reference({ dir: '/nowhere', camera: 'cam-01', log: silentLog });
  const check = new PictureCheck({ reference });
  for (let n = 0; n < 200; n++) check.look(picture, n * LOOK_MS);
  const before = process.cpuUsage().user;
  for (let n = 200; n < 1200; n++) check.look(picture, n * LOOK_MS);
  const us = (process.cpuUsage().user - before) / 1000;
  console.log(`${us.toFixed(0)} µs of CPU a look`);
  expect(us).toBeLessThan(2000);
});
