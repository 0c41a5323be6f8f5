import { expect, test } from 'vitest';
import { CommitPace } from '../../../edge/outbox/pace.ts';

/** A pace after a group of so many records that was committed at 100 ms. */
function after(records: number): CommitPace {
  const pace = new CommitPace();
  pace.done(records, 100);
  return pace;
}
const few = { records: 1, bytes: 100 };

test('an idle outbox commits at once: after a group of few, and after a pause', () => {
  const [small, paused] = [after(1), after(500)];
  small.began(100.1);
  expect(small.isRipe(few, 100.1)).toBe(true);
  paused.began(104);
  expect(paused.isRipe(few, 104)).toBe(true);
});

test('a busy one waits as long as records keep coming, and 3 ms at most', () => {
  const pace = after(500);
  pace.began(100.5);
  expect([1, 2, 3].map((n) => pace.isRipe({ records: n * 10, bytes: 1000 }, 99.5 + n))).toEqual([false, false, false]);
  expect(pace.isRipe({ records: 40, bytes: 1000 }, 103.5)).toBe(true);
  const quiet = after(500);
  quiet.began(100.5);
  expect(quiet.isRipe(few, 100.5)).toBe(false);
  expect(quiet.isRipe(few, 101.5)).toBe(true);
});

test('what fills a block, and what has waited while the group before was synced, goes at once', () => {
  const full = after(500);
  full.began(100);
  expect(full.isRipe({ records: 400, bytes: 64 * 1024 }, 100)).toBe(true);
  const waited = after(500);
  waited.began(60);
  expect(waited.isRipe(few, 100)).toBe(true);
});
