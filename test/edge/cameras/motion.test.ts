import { expect, test, vi } from 'vitest';
import { MotionGate } from '#edge/cameras/motion.ts';
import { thumbnailOf } from '#edge/cameras/thumbnail.ts';
import { createStreetRenderer, sceneAt, stageStreet } from '#simulators/cameras/mod.ts';
import type { Light, TruthBox } from '#simulators/cameras/scene.ts';
import { POSE, STREET } from '../vision/street.ts';
import { lumaOf } from './pictures.ts';

vi.setConfig({ testTimeout: 600_000 });

/** The defaults of the site file. */
const SETTINGS = { levels: 14, cells: 4, lookEveryS: 2 };
const FRAME_MS = 500;
const DAY: Light = { daylight: 1, rain: 0, sunHeadingDeg: 200, shadow: 0.4 };
const WEATHERS = { day: DAY, rain: { ...DAY, daylight: 0.6, rain: 1, shadow: 0 }, night: { ...DAY, daylight: 0, shadow: 0 } };
/** `GEWU_MINUTES=30` for figures. */
const FRAMES = Number(process.env.GEWU_MINUTES ?? 0) * 120 || 40;
/** A box moved when one of its edges did by more pixels. */
const STEP_PX = 4;

function measure(light: Light, perMinute: number) {
  const staged = stageStreet({
    street: STREET,
    light,
    seed: 9,
    stretch: [-10, 30],
    durationMs: FRAMES * FRAME_MS,
    incidents: [],
    walkersPerMinute: perMinute,
    carsPerMinute: perMinute,
    decoys: 2,
  });
  const renderer = createStreetRenderer(STREET, POSE);
  const gate = new MotionGate(SETTINGS);
  const look = lumaOf(POSE);
  let [skipped, moving, missed] = [0, 0, 0];
  let seen: readonly TruthBox[] = [];
  for (let n = 0; n < FRAMES; n++) {
    const ms = n * FRAME_MS;
    const { rgba, truth } = renderer.render({ street: STREET, light, objects: sceneAt(staged, ms), ts: ms });
    const opens = gate.opens(thumbnailOf(look(rgba)), ms);
    const moved = truth.some((box) => hasMoved(box, seen));
    if (moved) moving++;
    if (!opens) skipped++;
    if (!opens && moved) missed++;
    if (opens) seen = truth;
  }
  return { skipped: skipped / FRAMES, missed: moving === 0 ? 0 : missed / moving };
}

function hasMoved(box: TruthBox, before: readonly TruthBox[]): boolean {
  const last = before.find(({ id }) => id === box.id);
  return last === undefined || box.box.some((v, i) => Math.abs(v - (last.box[i] as number)) > STEP_PX);
}

test('on a quiet street most pictures are spared the detector; where something moves few are', () => {
  for (const [name, light] of Object.entries(WEATHERS)) {
    const [quiet, busy] = [measure(light, 0), measure(light, 4)];
    console.log(`${name}: quiet ${JSON.stringify(quiet)}, busy ${JSON.stringify(busy)}`);
    expect(quiet.skipped).toBeGreaterThan(0.5);
    expect(busy.missed).toBeLessThan(0.5);
  }
});

test('what creeps is seen when it adds up, and a still picture is looked at every other second', () => {
  const gate = new MotionGate(SETTINGS);
  const luma = (level: number) => ({ luma: new Uint8Array(64 * 36).fill(level) });
  expect(gate.opens(luma(100), 0)).toBe(true);
  expect(gate.opens(luma(108), 500)).toBe(false);
  expect(gate.opens(luma(116), 1000)).toBe(true);
  expect(gate.opens(luma(116), 2500)).toBe(false);
  expect(gate.opens(luma(116), 3000)).toBe(true);
});
