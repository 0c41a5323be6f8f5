import { expect, test } from 'vitest';
import { type Observed, Tracker } from '#edge/vision/mod.ts';
import { begin, correct, predict } from '../../../edge/vision/motion.ts';

/** A picture whose width is 20 m of ground everywhere. */
const trackerOf = () =>
  new Tracker({ prefix: 't', frameMs: 500, ground: { pixelOf: ([east, north]) => [east / 20, north / 25] } });

function seen(x: number, changes: Partial<Observed> = {}): Observed {
  return {
    class: 'stall',
    score: 0.8,
    strong: true,
    box: [x, 0.4, x + 0.1, 0.6],
    point: [x * 20, 15],
    errorRadiusM: 1,
    foot: [x + 0.05, 0.6],
    ...changes,
  };
}

test('a thing that stands keeps its track through weak detections and six seconds behind a bus', () => {
  const tracker = trackerOf();
  const id = tracker.update([seen(0.4)], 0)[0]?.id;
  expect(tracker.update([seen(0.402)], 500)[0]).toMatchObject({ id, confirmed: true });
  expect(tracker.update([seen(0.4, { score: 0.3, strong: false })], 1000)[0]).toMatchObject({ id, seen: true });
  for (let ms = 1500; ms <= 6500; ms += 500) expect(tracker.update([], ms)[0]).toMatchObject({ id, seen: false });
  expect(tracker.update([seen(0.401)], 7000)[0]).toMatchObject({ id, seen: true });
  for (let ms = 7500; ms <= 13_000; ms += 500) tracker.update([], ms);
  expect(tracker.update([], 13_500)).toEqual([]);
});

test('what stood behind the bus is not taken for what comes to stand beside its place', () => {
  const tracker = trackerOf();
  for (let ms = 0; ms <= 5000; ms += 500) tracker.update([seen(0.4)], ms);
  for (let ms = 5500; ms <= 8000; ms += 500) tracker.update([], ms);
  // Three metres on.
  const [old, other] = tracker.update([seen(0.55)], 8500);
  expect(old).toMatchObject({ seen: false });
  expect(other).toMatchObject({ seen: true });
});

test('a parked car keeps its track when another drives past and hides it', () => {
  const tracker = trackerOf();
  const car = (x: number, north: number, box: Observed['box']) => seen(x, { class: 'vehicle', point: [x * 20, north], box });
  const parked = () => car(0.5, 18, [0.45, 0.4, 0.6, 0.55]);
  const driving = (x: number) => car(x, 14, [x - 0.1, 0.42, x + 0.12, 0.62]);
  let id = '';
  for (let n = 0; n < 6; n++) id = tracker.update([parked()], n * 500)[0]?.id ?? '';
  tracker.update([parked(), driving(0.1)], 3000);
  tracker.update([parked(), driving(0.3)], 3500);
  // Only the one in front is found; its box lies on the other's.
  const hidden = tracker.update([driving(0.5)], 4000);
  expect(hidden.find((t) => t.id === id)).toMatchObject({ seen: false });
  const again = tracker.update([parked(), driving(0.7)], 4500);
  expect(again.filter((t) => t.seen)).toHaveLength(2);
  const there = again.find((t) => t.seen && Math.abs((t.point?.[1] ?? 0) - 18) < 0.5);
  expect(there?.id).toBe(id);
});

test('a weak detection begins no track, and a single sight is not confirmed', () => {
  const tracker = trackerOf();
  expect(tracker.update([seen(0.4, { score: 0.3, strong: false })], 0)).toEqual([]);
  expect(tracker.update([seen(0.4)], 500)[0]).toMatchObject({ confirmed: false });
  expect(tracker.update([], 1000)).toEqual([]);
});

test('two of one class side by side keep their own tracks, and classes are never mixed', () => {
  const tracker = trackerOf();
  const first = tracker.update([seen(0.2), seen(0.35), seen(0.2, { class: 'garbage' })], 0).map((t) => [t.id, t.class, t.box[0]]);
  const second = tracker.update([seen(0.352), seen(0.2, { class: 'garbage' }), seen(0.198)], 500);
  for (const [id, name, x] of first) {
    const same = second.find((t) => t.id === id);
    expect(same?.class).toBe(name);
    expect(Math.abs((same?.box[0] ?? 9) - (x as number))).toBeLessThan(0.01);
  }
});

test('a car that drives is followed by its speed even when its boxes no longer overlap', () => {
  const tracker = trackerOf();
  const car = (x: number) => seen(x, { class: 'vehicle', point: [x * 60, 15] });
  const ids = new Set<string>();
  // The first steps overlap, then it is faster than its own length per picture.
  for (const [n, x] of [0, 0.05, 0.12, 0.21, 0.32, 0.44, 0.56].entries()) {
    const tracks = tracker.update([car(x)], n * 500).filter((t) => t.seen);
    expect(tracks).toHaveLength(1);
    ids.add(tracks[0]?.id ?? '');
  }
  expect(ids.size).toBe(1);
});

test('the score is smoothed, the place of a standing thing averaged', () => {
  const tracker = trackerOf();
  tracker.update([seen(0.4, { point: [8, 15] })], 0);
  const still = tracker.update([seen(0.4, { point: [8.4, 15], score: 0.4 })], 500)[0];
  expect(still?.score).toBeCloseTo(0.64);
  expect(still?.point?.[0]).toBeGreaterThan(8);
  expect(still?.point?.[0]).toBeLessThan(8.4);
});

test('the filter is the textbook one: what a batch of exact looks at a steady car must give', () => {
  // Without acceleration and with a vague beginning, the estimate is the least-squares line through the looks.
  const steady = { speedMps: 1e4, accelerationMps2: 0 };
  const looks = [0, 1.1, 1.9, 3.2, 3.9];
  let motion = begin([looks[0] as number, 7], 0.25, steady);
  for (const look of looks.slice(1)) motion = correct(predict(motion, 1, steady), [look, 7], 0.25);
  const [n, sumT] = [looks.length, 10];
  const slope = (n * looks.reduce((s, x, t) => s + t * x, 0) - sumT * looks.reduce((s, x) => s + x, 0)) / (n * 30 - sumT * sumT);
  const at4 = looks.reduce((s, x) => s + x, 0) / n + slope * (4 - sumT / n);
  expect(motion.velocity[0]).toBeCloseTo(slope, 4);
  expect(motion.point[0]).toBeCloseTo(at4, 4);
  expect(motion.point[1]).toBeCloseTo(7);
  // Variance of the line at its last point: s2 (1/n + (t - mean)2 / sum (t - mean)2).
  expect(motion.pp).toBeCloseTo(0.25 * (1 / 5 + 4 / 10), 4);
});
