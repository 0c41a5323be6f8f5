import { expect, test } from 'vitest';
import { type Observed, Tracker } from '#edge/vision/mod.ts';

function seen(x: number, changes: Partial<Observed> = {}): Observed {
  return {
    class: 'stall',
    score: 0.8,
    strong: true,
    box: [x, 0.4, x + 0.1, 0.6],
    point: [x * 20, 15],
    errorRadiusM: 1,
    ...changes,
  };
}

test('a thing that stands keeps its track through weak detections and gaps of under three seconds', () => {
  const tracker = new Tracker('t', 500);
  const id = tracker.update([seen(0.4)], 0)[0]?.id;
  expect(tracker.update([seen(0.402)], 500)[0]).toMatchObject({ id, confirmed: true });
  expect(tracker.update([seen(0.4, { score: 0.3, strong: false })], 1000)[0]).toMatchObject({ id, seen: true });
  for (let ms = 1500; ms <= 3500; ms += 500) expect(tracker.update([], ms)[0]).toMatchObject({ id, seen: false });
  expect(tracker.update([seen(0.401)], 4000)[0]).toMatchObject({ id, seen: true });
  for (let ms = 4500; ms <= 7000; ms += 500) tracker.update([], ms);
  expect(tracker.update([], 7500)).toEqual([]);
});

test('a weak detection begins no track, and a single sight is not confirmed', () => {
  const tracker = new Tracker('t', 500);
  expect(tracker.update([seen(0.4, { score: 0.3, strong: false })], 0)).toEqual([]);
  expect(tracker.update([seen(0.4)], 500)[0]).toMatchObject({ confirmed: false });
  expect(tracker.update([], 1000)).toEqual([]);
});

test('two of one class side by side keep their own tracks, and classes are never mixed', () => {
  const tracker = new Tracker('t', 500);
  const first = tracker.update([seen(0.2), seen(0.35), seen(0.2, { class: 'garbage' })], 0).map((t) => [t.id, t.class, t.box[0]]);
  const second = tracker.update([seen(0.352), seen(0.2, { class: 'garbage' }), seen(0.198)], 500);
  for (const [id, name, x] of first) {
    const same = second.find((t) => t.id === id);
    expect(same?.class).toBe(name);
    expect(Math.abs((same?.box[0] ?? 9) - (x as number))).toBeLessThan(0.01);
  }
});

test('a car that drives is followed by its speed even when its boxes no longer overlap', () => {
  const tracker = new Tracker('t', 500);
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

test('the score is smoothed, the place of a standing thing averaged and of a moving one followed', () => {
  const tracker = new Tracker('t', 500);
  tracker.update([seen(0.4, { point: [8, 15] })], 0);
  const still = tracker.update([seen(0.4, { point: [8.4, 15], score: 0.4 })], 500)[0];
  expect(still?.score).toBeCloseTo(0.64);
  expect(still?.point?.[0]).toBeGreaterThan(8);
  expect(still?.point?.[0]).toBeLessThan(8.4);
  expect(tracker.update([seen(0.42, { point: [12, 15] })], 1000)[0]?.point).toEqual([12, 15]);
});
