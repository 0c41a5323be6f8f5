import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeviceTimes } from '../../edge/sensors/mod.ts';
import { budget } from './budget.ts';

const NOW = 1_700_000_000_000;

/**
 * Series and time are a reading's identity, so that two samples of one time would be one in the store. Our clock stands nearly
 * still here, and devices without a time are faster than it.
 */
test('no two samples share a time, whether the device says one or not', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ ago: fc.integer({ min: 0, max: 50 }), count: fc.constantFrom(1, 3) }) },
    { weight: 1, arbitrary: fc.record({ ago: fc.constant(null), count: fc.constantFrom(1, 400, 1_000) }) },
  );
  fc.assert(
    // No more than 500 numbered samples: so many of one ms can be told apart.
    fc.property(fc.array(step, { minLength: 1, maxLength: 160, size: 'max' }), (steps) => {
      const times = new DeviceTimes();
      const seen = new Set<string>();
      let [now, seq] = [NOW, 0];
      for (const { ago, count } of steps) {
        now += 5;
        for (let i = 0; i < count; i++) {
          const claim = ago === null ? {} : { ts: now - ago, seq: ++seq };
          const { ts, us } = times.give({ ...claim, content: () => '' }, now, count);
          expect(seen.has(`${ts} ${us}`)).toBe(false);
          seen.add(`${ts} ${us}`);
        }
      }
    }),
    budget(0.005, 1),
  );
});

test('a numbered sample has the same time whenever it comes again, also at a node that remembers nothing', () => {
  const sample = fc.record({
    ts: fc.constantFrom(NOW - 2000, NOW - 1000, NOW),
    count: fc.constantFrom(1, 27),
    killed: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(sample, { minLength: 1, maxLength: 18 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1000 }),
      (samples, first) => {
        let times = new DeviceTimes();
        const given = new Map<number, string>();
        let seq = first;
        const give = (ts: number, number: number) => {
          const { ts: ms, us } = times.give({ ts, seq: number, content: () => String(number) }, NOW);
          return `${ms} ${us}`;
        };
        for (const { ts, count, killed } of samples) {
          for (let i = 0; i < count; i++) given.set(++seq, give(ts, seq));
          if (killed) times = new DeviceTimes();
          for (let i = seq - count + 1; i <= seq; i++) expect(give(ts, i)).toBe(given.get(i));
        }
        expect(new Set(given.values()).size).toBe(given.size);
      },
    ),
    budget(0.005, 1),
  );
});
