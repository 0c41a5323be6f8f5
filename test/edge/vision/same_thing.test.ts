import { expect, test } from 'vitest';
import { CameraView, distanceM, groundOf, place, ZoneWatch } from '#edge/vision/mod.ts';
import { wallClock, type Zone } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';
import { ManualClock } from '#service/mod.ts';
import { POSE, RULE, siteCamera } from './street.ts';

const FRAME_MS = 500;
const camera = siteCamera();
const ground = groundOf(camera);
const wall = wallClock('Asia/Shanghai');
/** The model's input is the picture itself, so that a fraction of one is a fraction of the other. */
const input = {
  name: 'images',
  dtype: 'uint8',
  layout: 'NHWC',
  width: POSE.widthPx,
  height: POSE.heightPx,
  letterbox: null,
} as const;

/** Raised events of things that stand there for a while: in each picture, one look of the list after the other. */
function raised(className: string, ...looks: { score: number; box: Box }[][]): number {
  const rule = { ...RULE, detects: className, confidenceMin: 0.3 };
  const zones: Zone[] = [{ id: 'z', polygon: camera.zones[0]?.polygon ?? [], rules: [rule] }];
  const watch = new ZoneWatch({ zones, frameMs: FRAME_MS });
  const model = { input: { ...input }, thresholds: { [className]: 0.3 } } as never;
  const view = new CameraView({ camera: { zones }, model, ground, watch, prefix: 't', frameMs: FRAME_MS });
  const clock = new ManualClock();
  let events = 0;
  for (let n = 0; n < 3 * RULE.dwellS; n++) {
    clock.advance(FRAME_MS);
    const found = (looks[n % looks.length] ?? []).map(({ score, box }) => ({ class: className, score, box: inPixels(box) }));
    const moment = { at: clock.now(), ms: clock.monotonic(), wall: wall(clock.now()) };
    events += view.look(POSE, found, moment).decisions.filter(({ kind }) => kind === 'raise').length;
  }
  return events;
}

const inPixels = ([left, top, right, bottom]: Box): Box => [
  left * POSE.widthPx,
  top * POSE.heightPx,
  right * POSE.widthPx,
  bottom * POSE.heightPx,
];

const found = (score: number, box: Box) => ({ score, box });

/** How far apart two boxes of a class stand on the ground, metres. */
function apartM(className: string, a: Box, b: Box): number {
  const [at, other] = [a, b].map((box) => place(ground, className, box, [1 / POSE.widthPx, 1 / POSE.heightPx])?.point);
  return at && other ? distanceM(at, other) : Number.NaN;
}

const CAR: Box = [0.38, 0.36, 0.64, 0.72];
const HEADLIGHTS: Box = [0.41, 0.54, 0.61, 0.7];
const FAR_CAR: Box = [0.48, 0.37, 0.6, 0.42];

test('a parked car that is found by its headlights and by its body is one event, whichever is surer', () => {
  expect(apartM('vehicle', CAR, HEADLIGHTS)).toBeLessThan(1);
  const [body, lights] = [found(0.6, CAR), found(0.35, HEADLIGHTS)];
  expect(raised('vehicle', [body, lights])).toBe(1);
  expect(raised('vehicle', [found(0.35, CAR), found(0.6, HEADLIGHTS)])).toBe(1);
  // Now the one, now the other, now both.
  expect(raised('vehicle', [body, lights], [lights], [body], [found(0.34, CAR), lights])).toBe(1);
});

test('a car that is seen over the roof of a nearer one, within its box, is a car of its own', () => {
  expect(apartM('vehicle', CAR, FAR_CAR)).toBeGreaterThan(5);
  expect(raised('vehicle', [found(0.6, CAR), found(0.35, FAR_CAR)])).toBe(2);
});

test('stalls beside stalls stay as many as they are, and so do two of one place whose boxes only overlap', () => {
  const stall = (left: number) => found(0.7, [left, 0.4, left + 0.1, 0.6]);
  expect(raised('stall', [stall(0.3), stall(0.38), stall(0.46)])).toBe(3);
  expect(raised('stall', [stall(0.3), found(0.6, [0.33, 0.42, 0.43, 0.6])])).toBe(2);
});
