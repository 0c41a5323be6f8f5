import { expect, test } from 'vitest';
import { FreshAnswer } from '#service/mod.ts';

test('an answer is worked out once for all who ask in its time; a failure is kept for nobody', async () => {
  let [now, asked, broken] = [1_000, 0, false];
  const ask = async () => {
    asked++;
    if (broken) throw new Error('away');
    return asked;
  };
  const answer = new FreshAnswer({ freshMs: 200, clock: { now: () => 0, monotonic: () => now }, ask });
  expect(await Promise.all([answer.get(), answer.get()])).toEqual([1, 1]);
  now += 200;
  expect(await answer.get()).toBe(1);
  now += 1;
  broken = true;
  await expect(answer.get()).rejects.toThrow('away');
  broken = false;
  expect(await answer.get()).toBe(3);
});
