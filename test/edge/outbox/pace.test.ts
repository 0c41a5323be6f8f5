import { expect, test } from 'vitest';
import { CommitPace } from '#edge/outbox/pace.ts';

const waiting = (records: number, more: { bytes?: number; hurried?: boolean } = {}) => {
  return { records, bytes: records * 100, hurried: false, ...more };
};

/** A pace that has nothing to spare at 1000 ms. */
function exhausted(): CommitPace {
  const pace = new CommitPace();
  while (pace.waitMs(waiting(1), 1000) === 0) pace.committed(1000);
  return pace;
}

test('where little happens nobody waits; where much does, fifty commits a second are made of it', () => {
  const pace = new CommitPace();
  let commits = 0;
  const during = (fromMs: number, toMs: number, everyMs: number): number => {
    const before = commits;
    for (let now = fromMs; now < toMs; now += everyMs)
      if (pace.waitMs(waiting(1), now) === 0) {
        pace.committed(now);
        commits++;
      }
    return commits - before;
  };
  expect(during(1000, 2000, 25)).toBe(40);
  during(2000, 3000, 2);
  expect(during(3000, 4000, 2)).toBeGreaterThanOrEqual(49);
  expect(commits - 40).toBeLessThan(130);
  // Asked again after what it said, it is ripe.
  const next = exhausted();
  expect(next.waitMs(waiting(1), 1000 + next.waitMs(waiting(1), 1000))).toBe(0);
});

test('an event goes at once, and so does what fills a block or is many', () => {
  const pace = exhausted();
  expect(pace.waitMs(waiting(1), 1000)).toBeGreaterThan(5);
  for (const much of [waiting(1, { hurried: true }), waiting(64), waiting(2, { bytes: 64 * 1024 })]) {
    expect(pace.isNoteworthy(much)).toBe(true);
    expect(pace.waitMs(much, 1000)).toBe(0);
  }
  expect(pace.isNoteworthy(waiting(2))).toBe(false);
});

test('eight and more are committed as soon as no more keep coming', () => {
  const pace = exhausted();
  pace.waitMs(waiting(3), 1000);
  expect(pace.isNoteworthy(waiting(9))).toBe(true);
  expect(pace.waitMs(waiting(9), 1001)).toBe(1);
  expect(pace.isNoteworthy(waiting(10))).toBe(false);
  expect(pace.waitMs(waiting(11), 1002)).toBe(1);
  expect(pace.waitMs(waiting(11), 1003)).toBe(0);
});
