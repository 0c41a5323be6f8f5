import { expect, test } from 'vitest';
import { trendOf } from '../../bench/soak/trend.ts';

/** Every ten seconds for half an hour. */
const samples = (value: (n: number) => number) => Array.from({ length: 180 }, (_, n) => ({ ms: n * 10_000, value: value(n) }));

test('the slope of what grows, and how sure it is', () => {
  const wobble = (n: number): number => 5 * Math.sin(n * 1.7) + 3 * Math.cos(n / 9);
  const growing = trendOf(samples((n) => 500 + wobble(n) + (60 * n) / 360));
  expect(growing.perHour).toBeGreaterThan(60 - growing.perHourError);
  expect(growing.perHour).toBeLessThan(60 + growing.perHourError);
  expect(growing.perHour).toBeGreaterThan(growing.perHourError);
  const flat = trendOf(samples((n) => 500 + wobble(n)));
  expect(Math.abs(flat.perHour)).toBeLessThanOrEqual(flat.perHourError);
  expect(flat.mean).toBeCloseTo(500, -1);
  expect(trendOf(samples(() => 7))).toEqual({ mean: 7, perHour: 0, perHourError: 0 });
  expect(trendOf(samples((n) => n).slice(0, 2)).perHourError).toBe(Number.POSITIVE_INFINITY);
});
