import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Schedule, type Stage } from '#simulators/load/mod.ts';

const stage = fc.record({
  kind: fc.constantFrom<Stage['kind']>('ramp', 'steady', 'spike', 'soak'),
  forS: fc.double({ min: 0.5, max: 50, noNaN: true }),
  perS: fc.double({ min: 0, max: 500, noNaN: true }),
});

test('every message has its moment: in order, at the rate of its stage, and due exactly then', () => {
  fc.assert(
    fc.property(fc.array(stage, { minLength: 1, maxLength: 5 }), (stages) => {
      const schedule = new Schedule(stages);
      let before = 0;
      for (let k = 0; k < schedule.count; k += 1 + Math.floor(schedule.count / 300)) {
        const at = schedule.timeOf(k);
        expect(at).toBeGreaterThanOrEqual(before);
        expect(at).toBeLessThanOrEqual(schedule.durationS + 1e-9);
        before = at;
        // A microsecond on either side.
        expect(schedule.dueBy(at + 1e-6)).toBeGreaterThan(k);
        if (at > 1e-6) expect(schedule.dueBy(at - 1e-6)).toBeLessThanOrEqual(k + 1);
      }
      expect(schedule.dueBy(schedule.durationS)).toBe(schedule.count);
      expect(schedule.dueBy(schedule.durationS + 1000)).toBe(schedule.count);
    }),
    { numRuns: 60 },
  );
});

test('a ramp begins at the rate before it, a spike at its own', () => {
  const schedule = new Schedule([
    { kind: 'ramp', forS: 10, perS: 100 },
    { kind: 'steady', forS: 10, perS: 100 },
    { kind: 'spike', forS: 10, perS: 1000 },
    { kind: 'ramp', forS: 10, perS: 0 },
  ]);
  expect([0, 5, 10, 15, 20, 25, 35, 40].map((s) => schedule.perS(s))).toEqual([0, 50, 100, 100, 1000, 1000, 500, 0]);
  expect(schedule.count).toBe(500 + 1000 + 10_000 + 5000);
});
