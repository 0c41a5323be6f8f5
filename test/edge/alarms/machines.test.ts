import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ThresholdRule } from '#grid/mod.ts';
import { onQuiet, onTransition, STEADY } from '../../../edge/rules/flapping.ts';
import {
  APART,
  type GroupChange,
  type GroupState,
  onGroupTick,
  onMemberCleared,
  onMemberRaised,
  thresholdOf,
} from '../../../edge/rules/group.ts';
import { onLateSample } from '../../../edge/rules/late.ts';
import { onHeard, onSilence } from '../../../edge/rules/missing.ts';
import { onValue } from '../../../edge/rules/plausibility.ts';
import { CALM, onRaised, onStormTick } from '../../../edge/rules/storm.ts';
import { NORMAL, onSample, type ThresholdState } from '../../../edge/rules/threshold.ts';

/** The state machines over many alarms, each against a slow and simple oracle that looks at the whole past. */

const gaps = (max: number, maxLength = 60) => fc.array(fc.integer({ min: 0, max }), { minLength: 1, maxLength });
const timesOf = (list: readonly number[]) =>
  list.map(
    (
      (at) => (gap: number) =>
        (at += gap)
    )(0),
  );

const ofRule = (n: number, of: number): ThresholdRule => ({
  id: 'r',
  when: [{ field: 'v', op: 'eq', value: true }],
  confirm: { forS: 0, samples: n, of },
  clear: { when: [{ field: 'v', op: 'eq', value: false }], forS: 1e6 },
  raises: { fault: 'cover_open' },
  severity: 'normal',
});

test('n of the last m samples: raised with the first sample that makes them n, not before', () => {
  const cases = fc.record({
    n: fc.integer({ min: 1, max: 5 }),
    extra: fc.integer({ min: 0, max: 5 }),
    wrong: fc.array(fc.boolean(), { maxLength: 60 }),
  });
  fc.assert(
    fc.property(cases, ({ n, extra, wrong }) => {
      const m = n + extra;
      let state: ThresholdState = NORMAL;
      let raisedAt = -1;
      for (const [i, v] of wrong.entries()) {
        const step = onSample(ofRule(n, m), state, { v }, i * 1000);
        state = step.state;
        if (raisedAt < 0 && step.changes.some((c) => c.to === 'raised')) raisedAt = i;
      }
      const expected = wrong.findIndex((_, i) => wrong.slice(Math.max(0, i - m + 1), i + 1).filter(Boolean).length >= n);
      expect(raisedAt).toBe(expected);
    }),
  );
});

test('flapping: unstable with the transition that makes them too many within the window, steady after a whole window without one', () => {
  const limits = { transitions: 4, windowS: 10 };
  fc.assert(
    fc.property(gaps(6_000), (list) => {
      let state: Parameters<typeof onTransition>[1] = STEADY;
      let unstable = false;
      let since: number[] = [];
      for (const at of timesOf(list)) {
        const before = since.at(-1);
        if (unstable && before !== undefined && at - before >= 10_000) {
          unstable = false;
          since = [];
        }
        const step = onTransition(limits, state, at);
        state = step.state;
        since.push(at);
        if (!unstable && since.filter((t) => t > at - 10_000).length > 4) unstable = true;
        expect(state.phase).toBe(unstable ? 'unstable' : 'steady');
      }
      expect(onQuiet(limits, state, (since.at(-1) as number) + 10_000).state.phase).toBe('steady');
    }),
  );
});

test('a storm: begins with more than so many within the window, ends when no more than half are left in it', () => {
  const limits = { raises: 6, windowS: 10 };
  fc.assert(
    fc.property(gaps(4_000), (list) => {
      let state = CALM;
      let storm = false;
      const all: number[] = [];
      const within = (now: number) => all.filter((t) => t > now - 10_000).length;
      for (const at of timesOf(list)) {
        if (storm && within(at) <= 3) storm = false;
        all.push(at);
        state = onRaised(limits, state, at).state;
        if (within(at) > 6) storm = true;
        expect(state.phase).toBe(storm ? 'storm' : 'calm');
      }
      const last = all.at(-1) as number;
      expect(onStormTick(limits, state, last + 10_000).state.phase).toBe('calm');
    }),
  );
});

test('a group: together as soon as enough members were raised within the window; each change follows the other', () => {
  const terms = { members: 3, share: 0.3, windowS: 20, clearS: 5, holdS: 0, size: 12 };
  expect(thresholdOf(terms)).toBe(3);
  expect(thresholdOf({ ...terms, size: 4 })).toBe(2);
  const steps = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 8_000 }), member: fc.integer({ min: 0, max: 11 }) }), {
    minLength: 1,
    maxLength: 80,
  });
  fc.assert(
    fc.property(steps, (list) => {
      let state: GroupState = APART;
      const active = new Map<string, number>();
      const changes: GroupChange[] = [];
      let now = 0;
      for (const { afterMs, member } of list) {
        now += afterMs;
        const id = `lamp-${member}`;
        const raised = !active.has(id);
        if (raised) active.set(id, now);
        else active.delete(id);
        const before = onGroupTick(terms, state, now);
        const step = raised ? onMemberRaised(terms, state, id, now) : onMemberCleared(terms, state, id, now);
        changes.push(...step.changes);
        state = step.state;
        expect(new Map(state.active)).toEqual(active);
        const recent = [...active.values()].filter((t) => t > now - 20_000).length;
        if (before.state.phase === 'apart' && raised) expect(state.phase !== 'apart').toBe(recent >= 3);
        if (state.phase === 'together') expect(active.size).toBeGreaterThanOrEqual(2);
      }
      for (const [i, change] of changes.entries()) expect(change.to).toBe(i % 2 === 0 ? 'together' : 'apart');
    }),
  );
});

test('silence: raised exactly when the last report is so long ago, cleared by the next', () => {
  fc.assert(
    fc.property(gaps(30_000), (list) => {
      let state: Parameters<typeof onSilence>[1] = NORMAL as Parameters<typeof onSilence>[1];
      let heardAt = 0;
      for (const at of timesOf(list)) {
        const step = onHeard(15, state, heardAt, at);
        expect(step.changes.map((c) => c.to)).toEqual(at - heardAt >= 15_000 ? ['raised', 'cleared'] : []);
        if (step.changes[0]) expect(step.changes[0].at).toBe(heardAt + 15_000);
        state = step.state as typeof state;
        heardAt = at;
        expect(state.phase).toBe('normal');
      }
      expect(onSilence(15, state, heardAt, heardAt + 14_999).changes).toEqual([]);
      expect(onSilence(15, state, heardAt, heardAt + 15_000).changes).toHaveLength(1);
    }),
  );
});

test('a value that stays the same to the last bit is stuck after twenty reports over ten minutes; noise never is', () => {
  const spec = { type: 'number', unit: 'V', min: 0, max: 500, noisy: true, labelZh: '', labelEn: '' } as const;
  const run = (values: number[], everyMs: number) =>
    values.reduce<ReturnType<typeof onValue> | undefined>((h, v, i) => onValue(spec, h, v, i * everyMs), undefined)?.verdict;
  expect(run(Array(20).fill(220.5), 60_000)).toBe('stuck');
  expect(run(Array(19).fill(220.5), 60_000)).toBe('right');
  // A fast device repeats what its sensor measures slowly.
  expect(run(Array(100).fill(220.5), 1_000)).toBe('right');
  // At the end of its range the noise is cut off with the value.
  expect(run(Array(50).fill(500), 60_000)).toBe('right');
  expect(run([...Array(30).fill(220.5), 220.6], 60_000)).toBe('right');
});

test('a jump that cannot be is one, and a second value near it is a new level', () => {
  const spec = { type: 'number', unit: '°C', min: -40, max: 85, jumpMax: 20, labelZh: '', labelEn: '' } as const;
  const verdicts = (values: number[]) => {
    let history: ReturnType<typeof onValue> | undefined;
    return values.map((v, i) => {
      history = onValue(spec, history, v, i * 1000);
      return history.verdict;
    });
  };
  expect(verdicts([12, 60, 12])).toEqual(['right', 'jump', 'right']);
  expect(verdicts([12, 60, 61])).toEqual(['right', 'jump', 'right']);
  expect(verdicts([12, 60, -30])).toEqual(['right', 'jump', 'jump']);
  expect(verdicts([12, 30, 48])).toEqual(['right', 'right', 'right']);
});

test('late data: a confirm time is complete only when a sample at or after its end says so', () => {
  const rule: ThresholdRule = {
    ...ofRule(1, 1),
    confirm: { forS: 10, samples: 1 },
    clear: { when: [{ field: 'v', op: 'eq', value: false }], forS: 5 },
  };
  const run = (samples: [number, boolean][]) => {
    let state: ThresholdState = NORMAL;
    return samples.flatMap(([s, v]) => {
      const step = onLateSample(rule, state, { v }, s * 1000);
      state = step.state;
      return step.changes.map((c) => `${c.to} ${c.at / 1000}`);
    });
  };
  expect(
    run([
      [0, true],
      [9, true],
      [300, false],
    ]),
  ).toEqual([]);
  expect(
    run([
      [0, true],
      [12, true],
      [13, false],
      [17, false],
      [18, false],
    ]),
  ).toEqual(['raised 12', 'cleared 18']);
});
