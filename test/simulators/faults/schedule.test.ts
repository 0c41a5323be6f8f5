import { expect, test } from 'vitest';
import { createSchedule, FAULTS, type SchedulePlan } from '#simulators/mod.ts';

const PLAN: SchedulePlan = {
  seed: 5,
  kills: 60,
  intervalMs: 1000,
  targets: {
    kill: ['edge', 'centre', 'broker'],
    freeze: ['edge', 'centre', 'broker'],
    restart: ['store'],
    wipe: ['broker'],
    'disk-full': ['edge'],
    'clock-step': ['edge', 'centre'],
    cut: ['link-1', 'link-2'],
    blackhole: ['link-1', 'link-2'],
    'drop-response': ['link-1', 'link-2'],
    delay: ['link-1', 'link-2'],
    slice: ['link-1', 'link-2'],
  },
  answersOn: { edge: 'link-1', centre: 'link-2' },
  relievedOn: { edge: 'link-2' },
};

test('the same seed gives the same schedule, another seed another one', () => {
  expect(createSchedule(PLAN)).toEqual(createSchedule(structuredClone(PLAN)));
  expect(createSchedule({ ...PLAN, seed: 6 })).not.toEqual(createSchedule(PLAN));
});

test('as many kills as asked for, in order, spread over the time', () => {
  const schedule = createSchedule(PLAN);
  const kills = schedule.filter((f) => f.fault === 'kill');
  expect(kills).toHaveLength(60);
  expect(schedule.map((f) => f.atMs)).toEqual(schedule.map((f) => f.atMs).sort((a, b) => a - b));
  expect(schedule.every((f) => f.atMs >= 0 && f.atMs <= 61_000 && f.durationMs > 0)).toBe(true);
  for (const target of ['edge', 'centre', 'broker']) expect(kills.filter((f) => f.target === target)).toHaveLength(20);
});

test('every fault of every target comes up', () => {
  const schedule = createSchedule(PLAN);
  const wanted = FAULTS.flatMap((fault) => (PLAN.targets[fault] ?? []).map((target) => `${fault} ${target}`));
  const seen = new Set(schedule.map((f) => `${f.fault} ${f.target}`));
  expect(wanted.filter((w) => !seen.has(w))).toEqual([]);
});

test('some kills find the answers of their victim already lost', () => {
  const schedule = createSchedule(PLAN);
  const deaf = schedule.filter(
    (f) =>
      f.fault === 'kill' &&
      schedule.some(
        (d) =>
          d.fault === 'drop-response' &&
          d.target === PLAN.answersOn?.[f.target] &&
          d.atMs <= f.atMs &&
          d.atMs + d.durationMs >= f.atMs,
      ),
  );
  expect(deaf.length).toBeGreaterThan(8);
});

test('a full disk cannot be relieved meanwhile', () => {
  const schedule = createSchedule(PLAN);
  const full = schedule.filter((f) => f.fault === 'disk-full');
  const cut = (from: number, to: number) =>
    schedule.some((f) => f.fault === 'cut' && f.target === 'link-2' && f.atMs < from && f.atMs + f.durationMs > to);
  expect(full.length).toBeGreaterThan(1);
  expect(full.every((f) => cut(f.atMs, f.atMs + f.durationMs))).toBe(true);
});

test('what cannot be hurt is left out', () => {
  const schedule = createSchedule({ ...PLAN, targets: { kill: ['edge'] } });
  expect(new Set(schedule.map((f) => `${f.fault} ${f.target}`))).toEqual(new Set(['kill edge', 'drop-response link-1']));
  expect(createSchedule({ ...PLAN, targets: {} })).toEqual([]);
});
