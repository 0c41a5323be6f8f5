import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ThresholdRule } from '#grid/mod.ts';
import { NORMAL, onSample, onTick, type ThresholdState } from '../../edge/rules/mod.ts';

const rule: ThresholdRule = {
  id: 'tilt',
  when: [{ field: 'tilt_deg', op: 'ge', value: 10 }],
  confirm: { forS: 5, samples: 2 },
  clear: { when: [{ field: 'tilt_deg', op: 'lt', value: 5 }], forS: 4 },
  raises: { fault: 'cover_open' },
  severity: 'critical',
};

/** Runs samples `[seconds, tilt]` with a tick every 100 ms; what changed, in seconds. */
function run(samples: [number, number][], untilS: number, r = rule): string[] {
  let state: ThresholdState = NORMAL;
  const changes: string[] = [];
  const pending = [...samples];
  for (let now = 0; now <= untilS * 1000; now += 100) {
    // 16.1 * 1000 is not 16,100: a sample must not come a tick late.
    while (pending[0] && Math.round(pending[0][0] * 1000) <= now) {
      const [, tilt] = pending.shift() as [number, number];
      const step = onSample(r, state, { tilt_deg: tilt }, now);
      state = step.state;
      for (const change of step.changes) changes.push(`${change.to} ${change.at / 1000}`);
    }
    const step = onTick(r, state, now);
    state = step.state;
    for (const change of step.changes) changes.push(`${change.to} ${change.at / 1000}`);
  }
  return changes;
}

test.each<[string, [number, number][], string[]]>([
  [
    'is raised when the confirm time is over, without another sample',
    [
      [1, 25],
      [2, 25],
    ],
    ['raised 6'],
  ],
  [
    'waits for the second sample',
    [
      [1, 25],
      [9, 25],
    ],
    ['raised 9'],
  ],
  ['one sample is not enough, however long', [[1, 25]], []],
  [
    'a break in the condition starts anew',
    [
      [1, 25],
      [2, 25],
      [4, 3],
      [5, 25],
      [6, 25],
    ],
    ['raised 10'],
  ],
  [
    'between the thresholds nothing changes',
    [
      [1, 25],
      [2, 25],
      [8, 7],
      [9, 7],
    ],
    ['raised 6'],
  ],
  [
    'clears after the clear time',
    [
      [1, 25],
      [2, 25],
      [8, 2],
    ],
    ['raised 6', 'cleared 12'],
  ],
  [
    'is not raised again before it cleared',
    [
      [1, 25],
      [2, 25],
      [8, 2],
      [10, 25],
      [11, 25],
    ],
    ['raised 6'],
  ],
  [
    'a sample that comes late does not undo what was due',
    [
      [1, 25],
      [2, 25],
      [6, 2],
    ],
    ['raised 6', 'cleared 10'],
  ],
])('%s', (_name, samples, wanted) => expect(run(samples, 20)).toEqual(wanted));

test('no confirm time: at once', () => {
  expect(run([[1, 95]], 3, { ...rule, confirm: { forS: 0, samples: 1 } })).toEqual(['raised 1']);
});

test('raised and cleared alternate, confirm and clear times are kept, whatever comes', () => {
  const samples = fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 30 })), { maxLength: 60 });
  fc.assert(
    fc.property(samples, (raw) => {
      const ordered = raw.map(([t, v]): [number, number] => [t / 10, v]).sort((a, b) => a[0] - b[0]);
      const changes = run(ordered, 40).map((c) => c.split(' ') as [string, string]);
      changes.forEach(([to, at], i) => {
        expect(to).toBe(i % 2 === 0 ? 'raised' : 'cleared');
        if (i > 0) expect(Number(at)).toBeGreaterThanOrEqual(Number(changes[i - 1]?.[1]));
        const windowS = to === 'raised' ? rule.confirm.forS : rule.clear.forS;
        const inWindow = ordered.filter(([t]) => t > Number(at) - windowS + 0.05 && t < Number(at) - 0.05);
        for (const [, tilt] of inWindow) expect(to === 'raised' ? tilt >= 10 : tilt < 5).toBe(true);
      });
    }),
    { numRuns: 300 },
  );
});
