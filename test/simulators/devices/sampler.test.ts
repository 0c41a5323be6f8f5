import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEVICE_KINDS, type ThresholdRule, validatePayload } from '#grid/mod.ts';
import { createSampler, SeqSet } from '#simulators/devices/mod.ts';
import { NORMAL, onSample, type ThresholdState } from '../../../edge/rules/mod.ts';

const SAMPLES = 60;

test.each(DEVICE_KINDS)('$kind: whatever the seed and the hour, normal samples are plausible and break no rule', (kind) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.double({ min: 0, max: 23.99, noNaN: true }), (seed, hour) => {
      const sample = createSampler(kind, seed);
      const states = new Map<ThresholdRule, ThresholdState>(kind.rules.map((r) => [r, NORMAL]));
      for (let n = 0; n < SAMPLES; n++) {
        const fields = sample({ hour, elapsedS: n });
        const checked = validatePayload(kind, fields);
        if (!checked.ok || checked.value.implausible.length > 0) expect(checked).toEqual('a plausible sample');
        for (const [rule, state] of states) {
          // As the edge runs it, without confirm times: nothing may even be suspected.
          const eager = { ...rule, confirm: { forS: 0, samples: 1 } };
          const step = onSample(eager, state, fields, n * 1000);
          if (step.state.phase !== 'normal') expect(fields).toEqual(`a sample that does not break ${rule.id}`);
          states.set(rule, step.state);
        }
      }
    }),
    { numRuns: 20 },
  );
});

test.each(DEVICE_KINDS)(
  '$kind: says all that its example says, differs from sample to sample, and follows from its seed',
  (kind) => {
    const [a, again, other] = [createSampler(kind, 5), createSampler(kind, 5), createSampler(kind, 6)];
    const time = { hour: 20, elapsedS: 10 };
    const first = a(time);
    expect(Object.keys(first).sort()).toEqual(Object.keys(kind.example).sort());
    expect(again(time)).toEqual(first);
    expect(a(time)).toEqual(first);
    expect(a({ ...time, elapsedS: 11 })).not.toEqual(first);
    expect(other(time)).not.toEqual(first);
  },
);

test('lamps are off by day, and the sky is bright', () => {
  const lamp = createSampler(DEVICE_KINDS.find((k) => k.kind === 'streetlight') as (typeof DEVICE_KINDS)[number], 1);
  expect(lamp({ hour: 12, elapsedS: 0 })).toMatchObject({ commanded_on: false });
  expect(lamp({ hour: 12, elapsedS: 0 }).lux).toBeGreaterThan(10_000);
  expect(lamp({ hour: 22, elapsedS: 0 })).toMatchObject({ commanded_on: true });
  expect(lamp({ hour: 22, elapsedS: 0 }).power_w).toBeGreaterThan(50);
});

test('a set of sequence numbers is a set, in as few ranges as there are runs', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (numbers) => {
      const set = new SeqSet();
      for (const n of numbers) set.add(n);
      const wanted = [...new Set(numbers)].sort((a, b) => a - b);
      expect([...set]).toEqual(wanted);
      expect(set.size).toBe(wanted.length);
      for (let n = 0; n <= 41; n++) expect(set.has(n)).toBe(wanted.includes(n));
      expect(set.ranges.length).toBe(wanted.filter((n) => !wanted.includes(n - 1)).length);
    }),
  );
});
