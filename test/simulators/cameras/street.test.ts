import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type CameraPose,
  DECOY_KINDS,
  DETECTION_CLASSES,
  type Light,
  type Scene,
  type SceneObject,
  type Street,
} from '#simulators/cameras/scene.ts';
import { OBJECT_SIZES } from '#simulators/cameras/script/sizes.ts';
import { cameraOf, createStreetRenderer, randomScene, randomView, toLocal, toWgs84 } from '#simulators/cameras/street/mod.ts';

const street: Street = {
  seed: 5,
  originLon: 121.47,
  originLat: 31.23,
  roadHeadingDeg: 90,
  roadWidthM: 9,
  pavementWidthM: 4,
  roadOffsetM: 0,
};
const noon: Light = { daylight: 1, rain: 0, sunHeadingDeg: 180, shadow: 0 };
/** Above the origin, looking north and 30 degrees down. */
const pose: CameraPose = {
  lon: 121.47,
  lat: 31.23,
  heightM: 6,
  headingDeg: 0,
  pitchDeg: 30,
  hfovDeg: 70,
  widthPx: 640,
  heightPx: 360,
};

function object(kind: SceneObject['kind'], change: Partial<SceneObject> = {}): SceneObject {
  const size = { lengthM: 2, widthM: 1.2, heightM: 2.3 };
  return { id: `${kind}-1`, kind, xM: 0.5, yM: 11, headingDeg: 40, ...size, seed: 9, grown: 1, ...change };
}
const sceneOf = (objects: SceneObject[], light = noon): Scene => ({ street, light, objects, ts: 1_750_000_000_000 });
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the pinhole', () => {
  test('the optical axis meets the ground at height / tan(pitch), in the middle of the picture', () => {
    const renderer = createStreetRenderer(street, pose);
    const ahead = pose.heightM / Math.tan(Math.PI / 6);
    const at = renderer.project(...toWgs84(0, ahead, street.originLon, street.originLat));
    expect(at?.xPx).toBeCloseTo(320, 4);
    expect(at?.yPx).toBeCloseTo(180, 4);
  });

  test('a point behind the lens has no pixel', () => {
    expect(createStreetRenderer(street, pose).project(121.47, 31.2299)).toBeNull();
  });

  test('pixel to ground and back, for many poses', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const view = randomView(seed);
      const camera = cameraOf(view.pose, view.street.originLon, view.street.originLat);
      const ground = camera.ground(200, 300);
      expect(ground, `seed ${seed}`).not.toBeNull();
      const [x, y] = ground as [number, number];
      const [xPx, yPx] = camera.pixel(x, y, 0) as [number, number];
      expect(Math.hypot(xPx - 200, yPx - 300), `seed ${seed}`).toBeLessThan(1e-6);
    }
  });

  test('a step to the east is its cosine in longitude', () => {
    const [x, y] = toLocal(...toWgs84(120, -45, 121.47, 31.23), 121.47, 31.23);
    expect(x).toBeCloseTo(120, 6);
    expect(y).toBeCloseTo(-45, 6);
  });
});

describe('a drawn scene', () => {
  test('is the same bytes for the same seeds, and others for another seed', () => {
    const view = randomView(77);
    const scene = randomScene(view, 3);
    const first = digest(createStreetRenderer(view.street, view.pose).render(scene).rgba);
    const renderer = createStreetRenderer(view.street, view.pose);
    renderer.render(randomScene(view, 4));
    expect(digest(renderer.render(scene).rgba)).toBe(first);
    expect(digest(renderer.render(randomScene(view, 5)).rgba)).not.toBe(first);
  });

  test.each(DETECTION_CLASSES)('%s: its box holds what it changes, and is not much larger', (kind) => {
    const renderer = createStreetRenderer(street, pose);
    const empty = Uint8Array.from(renderer.render(sceneOf([])).rgba);
    const flat = kind === 'open_manhole' || kind === 'ponding';
    const round = kind === 'open_manhole' ? { lengthM: 0.8, widthM: 0.8 } : {};
    // A seed whose manhole has no cover lying beside it: the cover is drawn, but is no part of the truth.
    const { rgba, truth } = renderer.render(sceneOf([object(kind, { ...round, ...(flat ? { heightM: 0 } : {}), seed: 12 })]));
    expect(truth).toHaveLength(1);
    const [entry] = truth;
    expect(entry?.visible).toBeGreaterThan(0.95);
    const changed = changedBounds(empty, rgba, 60);
    const box = entry?.box as [number, number, number, number];
    for (const k of [0, 1, 2, 3] as const) expect(Math.abs(box[k] - changed[k]), `side ${k}`).toBeLessThan(9);
  });

  test('names the footprint in WGS-84', () => {
    const { truth } = createStreetRenderer(street, pose).render(sceneOf([object('stall')]));
    const [x, y] = toLocal(truth[0]?.lon ?? 0, truth[0]?.lat ?? 0, street.originLon, street.originLat);
    expect([x, y]).toEqual([expect.closeTo(0.5, 5), expect.closeTo(11, 5)]);
  });

  test('decoys are drawn and are not in the truth', () => {
    const renderer = createStreetRenderer(street, pose);
    const empty = digest(renderer.render(sceneOf([])).rgba);
    for (const kind of DECOY_KINDS) {
      const { rgba, truth } = renderer.render(sceneOf([object(kind, OBJECT_SIZES[kind])]));
      expect(truth, kind).toEqual([]);
      expect(digest(rgba), kind).not.toBe(empty);
    }
  });

  test('who stands behind a van is hardly visible, but people stay in the truth', () => {
    const van = object('vehicle', { xM: 0, yM: 9, headingDeg: 90, lengthM: 5, widthM: 2, heightM: 2.2 });
    const person = object('person', { xM: 0, yM: 10.8, heightM: 1.6, lengthM: 0.4, widthM: 0.5 });
    const { truth } = createStreetRenderer(street, pose).render(sceneOf([person, van]));
    expect(truth.find((entry) => entry.class === 'person')?.visible).toBeLessThan(0.5);
    expect(truth.find((entry) => entry.class === 'vehicle')?.visible).toBe(1);
  });

  test('rubbish and water grow', () => {
    const renderer = createStreetRenderer(street, pose);
    const area = (kind: SceneObject['kind'], grown: number): number => {
      const [l, t, r, b] = renderer.render(sceneOf([object(kind, { grown, heightM: 0.8 })])).truth[0]?.box ?? [0, 0, 0, 0];
      return (r - l) * (b - t);
    };
    for (const kind of ['garbage', 'ponding'] as const) expect(area(kind, 1)).toBeGreaterThan(1.5 * area(kind, 0.3));
  });

  test('night is darker than noon', () => {
    const renderer = createStreetRenderer(street, pose);
    const mean = (light: Light): number => renderer.render(sceneOf([], light)).rgba.reduce((sum, v) => sum + v, 0);
    expect(mean({ ...noon, daylight: 0 })).toBeLessThan(0.8 * mean(noon));
  });

  test('headlights light the road before a car that drives, not before one that is parked', () => {
    const renderer = createStreetRenderer(street, pose);
    const night = { ...noon, daylight: 0 };
    const car = (lamps: boolean) =>
      sceneOf([object('vehicle', { xM: -5, yM: 11, headingDeg: 90, lengthM: 4.4, widthM: 1.8, heightM: 1.5, lamps })], night);
    const ahead = renderer.project(...toWgs84(1, 11, street.originLon, street.originLat));
    const brightness = (scene: Scene) => meanAround(renderer.render(scene).rgba, ahead?.xPx ?? 0, ahead?.yPx ?? 0);
    expect(brightness(car(true))).toBeGreaterThan(1.3 * brightness(car(false)));
  });

  test('shop windows shine at night', () => {
    const renderer = createStreetRenderer(street, { ...pose, pitchDeg: 12 });
    const brightest = (light: Light): number => {
      const { rgba } = renderer.render(sceneOf([], light));
      let most = 0;
      for (let i = 0; i < rgba.length; i += 4) most = Math.max(most, (rgba[i] as number) - (rgba[i + 2] as number));
      return most;
    };
    // Warm light: nothing on a street at dusk, without lamps, is as much redder than blue.
    expect(brightest({ ...noon, daylight: 0 })).toBeGreaterThan(40);
  });

  test('glare veils the side from which the sun comes', () => {
    const renderer = createStreetRenderer(street, pose);
    const side = (glare: number, xPx: number) => {
      const { rgba } = renderer.render(sceneOf([], { ...noon, sunHeadingDeg: 30, glare }));
      return meanAround(rgba, xPx, 60);
    };
    const [near, far] = [side(0.9, 560) - side(0, 560), side(0.9, 80) - side(0, 80)];
    expect(near).toBeGreaterThan(30);
    expect(near).toBeGreaterThan(far + 10);
  });

  test('in wind the picture sways, and the truth with it', () => {
    const renderer = createStreetRenderer(street, pose);
    const light = { ...noon, wind: 1 };
    const still = renderer.render(sceneOf([object('stall', { seed: 12 })])).truth[0]?.box as Box;
    let swayed = 0;
    for (const ts of [1_750_000_000_000, 1_750_000_000_400, 1_750_000_000_900]) {
      const empty = Uint8Array.from(renderer.render({ ...sceneOf([], light), ts }).rgba);
      const { rgba, truth } = renderer.render({ ...sceneOf([object('stall', { seed: 12 })], light), ts });
      const box = truth[0]?.box as Box;
      const changed = changedBounds(empty, rgba, 60);
      for (const k of [0, 1, 2, 3] as const) expect(Math.abs(box[k] - changed[k]), `side ${k} at ${ts}`).toBeLessThan(9);
      swayed = Math.max(swayed, Math.abs(box[0] - still[0]), Math.abs(box[1] - still[1]));
    }
    expect(swayed).toBeGreaterThan(1.5);
  });

  test('a picture costs little once the street is drawn', () => {
    const view = randomView(9);
    const renderer = createStreetRenderer(view.street, view.pose);
    const scene = randomScene(view, 9);
    renderer.render(scene);
    const before = process.cpuUsage();
    for (let k = 0; k < 20; k++) renderer.render({ ...scene, ts: scene.ts + k * 200 });
    const { user, system } = process.cpuUsage(before);
    // Measured 3-6 ms; the bound is for busy machines.
    expect((user + system) / 20 / 1000).toBeLessThan(40);
  });
});

describe('random scenes', () => {
  const scenes = Array.from({ length: 400 }, (_, seed) => randomScene(randomView(seed), seed));
  const share = (holds: (scene: Scene) => boolean) => scenes.filter(holds).length / scenes.length;

  test('show day and night, rain, glare, wind and shadows, each in a good part of them', () => {
    expect(share(({ light }) => light.daylight > 0.8)).toBeGreaterThan(0.5);
    expect(share(({ light }) => light.daylight < 0.3)).toBeGreaterThan(0.15);
    for (const what of ['rain', 'glare', 'wind', 'shadow'] as const)
      expect(
        share(({ light }) => (light[what] ?? 0) > 0),
        what,
      ).toBeGreaterThan(0.07);
  });

  test('show crowds, and every kind of thing and decoy', () => {
    expect(share(({ objects }) => objects.filter((o) => o.kind === 'person').length >= 6)).toBeGreaterThan(0.05);
    const kinds = new Set(scenes.flatMap(({ objects }) => objects.map((o) => o.kind)));
    for (const kind of [...DETECTION_CLASSES, ...DECOY_KINDS]) expect(kinds, kind).toContain(kind);
  });

  test('hide some things in part', () => {
    const visible = scenes.slice(0, 16).flatMap((scene, seed) => {
      const { street, pose } = randomView(seed, 320, 180);
      return createStreetRenderer(street, pose)
        .render(scene)
        .truth.map((entry) => entry.visible);
    });
    expect(visible.filter((v) => v < 0.8).length / visible.length).toBeGreaterThan(0.08);
  });
});

type Box = [number, number, number, number];

/** Mean grey level of the 11 x 11 pixels around a point. */
function meanAround(rgba: Uint8Array, xPx: number, yPx: number): number {
  let sum = 0;
  for (let dy = -5; dy <= 5; dy++)
    for (let dx = -5; dx <= 5; dx++) {
      const at = ((Math.round(yPx) + dy) * pose.widthPx + Math.round(xPx) + dx) * 4;
      sum += ((rgba[at] as number) + (rgba[at + 1] as number) + (rgba[at + 2] as number)) / 3;
    }
  return sum / 121;
}

/** Bounds of the pixels that differ by more than `least` grey levels (sum of channels): shadows and grain stay below. */
function changedBounds(before: Uint8Array, after: Uint8Array, least: number): [number, number, number, number] {
  const bounds: [number, number, number, number] = [640, 360, 0, 0];
  for (let i = 0; i < after.length; i += 4) {
    let sum = 0;
    for (let c = i; c < i + 3; c++) sum += Math.abs((after[c] as number) - (before[c] as number));
    if (sum <= least) continue;
    const [x, y] = [(i / 4) % 640, Math.floor(i / 4 / 640)];
    bounds[0] = Math.min(bounds[0], x);
    bounds[1] = Math.min(bounds[1], y);
    bounds[2] = Math.max(bounds[2], x + 1);
    bounds[3] = Math.max(bounds[3], y + 1);
  }
  return bounds;
}
