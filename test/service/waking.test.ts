import { expect, test } from 'vitest';
import { WakingTime } from '#service/mod.ts';

test('time goes on while it is asked, and stands still with a thread that does', () => {
  const waking = new WakingTime(250);
  expect(waking.at(10_000)).toBe(0);
  expect(waking.at(10_250)).toBe(250);
  expect(waking.at(10_260)).toBe(260);
  // Five seconds in which nobody here could ask.
  expect(waking.at(15_260)).toBe(760);
  expect(waking.at(15_200)).toBe(760);
  expect(waking.at(15_450)).toBe(1010);
});
