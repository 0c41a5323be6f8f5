import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { localPlane } from '#grid/mod.ts';
import type { SensorIncident } from '#simulators/city/mod.ts';
import { buildDemoCity, demoScript } from '#simulators/city/mod.ts';
import { faultsToldOf } from '#simulators/faults/mod.ts';
import {
  cameraTruth,
  incidentOutcomes,
  matchBySource,
  matchIncidents,
  percentile,
  type SeenCase,
  type StagedTruth,
  sensorTruth,
  summarizeLatency,
} from '#simulators/report/mod.ts';

const START = 1_700_000_000_000;
const plane = localPlane({ lon: 116.42, lat: 39.92 });
const at = (xM: number, yM: number) => plane.toPosition({ xM, yM });

function staged(
  id: string,
  over: Partial<StagedTruth> & { xM?: number; yM?: number; fromS?: number; toS?: number } = {},
): StagedTruth {
  const { xM = 0, yM = 0, fromS = 10, toS = 30, ...rest } = over;
  return {
    id,
    source: 'camera',
    class: { flag: 2, code: '0501' },
    ...at(xM, yM),
    standsFrom: START + fromS * 1000,
    standsTo: START + toS * 1000,
    confirmMs: 5_000,
    ...rest,
  };
}

interface SeenOver {
  xM?: number;
  yM?: number;
  startedS?: number;
  confirmedS?: number;
  readableS?: number;
  component?: string;
  class?: StagedTruth['class'];
  source?: 'camera' | 'sensor' | 'hotline';
}

function seen(id: string, over: SeenOver = {}): SeenCase {
  const { xM = 0, yM = 0, startedS = 10, confirmedS = startedS + 5, readableS = confirmedS + 1 } = over;
  return {
    case: {
      id,
      source: over.source ?? 'camera',
      class: over.class ?? { flag: 2, code: '0501' },
      place: {
        ...at(xM, yM),
        errorRadiusM: 2,
        cell: '110101001001001',
        ...(over.component === undefined ? {} : { component: over.component }),
      },
      startedAt: START + startedS * 1000,
      confirmedAt: START + confirmedS * 1000,
    },
    readableAt: START + readableS * 1000,
  };
}

const ids = (report: ReturnType<typeof matchIncidents>) => report.pairs.map((p) => [p.staged.id, p.seen.case.id]).sort();
const counts = ({ staged, detected, missed, falseAlarms }: ReturnType<typeof matchIncidents>) => ({
  staged,
  detected,
  missed,
  falseAlarms,
});

test('an incident and its case are a pair, with the time from its confirmation to its being readable', () => {
  const report = matchIncidents([staged('s')], [seen('c', { xM: 3, readableS: 16.2 })]);
  expect(counts(report)).toEqual({ staged: 1, detected: 1, missed: 0, falseAlarms: 0 });
  expect(report.pairs[0]?.latencyMs).toBe(1_200);
  expect(report.pairs[0]?.offM).toBeCloseTo(3, 1);
});

test('nothing staged and nothing seen is no mistake', () => {
  expect(counts(matchIncidents([], []))).toEqual({ staged: 0, detected: 0, missed: 0, falseAlarms: 0 });
});

describe('is no pair', () => {
  test.each<[string, Partial<Parameters<typeof staged>[1]>, SeenOver]>([
    ['another class', {}, { class: { flag: 2, code: '0102' } }],
    [
      'a component fault of the same four digits',
      { class: { flag: 2, code: '0102' } },
      { class: { flag: 1, code: '0102', fault: 'cover_open' } },
    ],
    [
      'another fault of the same component',
      { class: { flag: 1, code: '0102', fault: 'cover_open' } },
      { class: { flag: 1, code: '0102', fault: 'gas_h2s' } },
    ],
    ['another component', { component: '1101010102000001' }, { component: '1101010102000002' }],
    ['another source', {}, { source: 'sensor' }],
    ['more than 10 m off', {}, { xM: 7.2, yM: 7.2 }],
    ['begun before it was there', {}, { startedS: 1, confirmedS: 6 }],
    ['begun long after it was gone', {}, { startedS: 41, confirmedS: 46 }],
  ])('%s', (_, truth, found) => {
    expect(counts(matchIncidents([staged('s', truth)], [seen('c', found)]))).toEqual({
      staged: 1,
      detected: 0,
      missed: 1,
      falseAlarms: 1,
    });
  });
});

test('a little before and a little after are in time, and either time will do', () => {
  for (const over of [{ startedS: 7 }, { startedS: 40 }, { startedS: 2, confirmedS: 12 }])
    expect(matchIncidents([staged('s')], [seen('c', over)]).detected).toBe(1);
});

test('two of one class nearby: each gets its own case, whichever order they come in', () => {
  const truth = [staged('left', { xM: 0 }), staged('right', { xM: 8 })];
  const cases = [seen('near-right', { xM: 7 }), seen('near-left', { xM: 1 })];
  for (const [t, c] of [
    [truth, cases],
    [truth.toReversed(), cases],
    [truth, cases.toReversed()],
  ] as const)
    expect(ids(matchIncidents(t, c))).toEqual([
      ['left', 'near-left'],
      ['right', 'near-right'],
    ]);
});

test('a case that fits two goes where it leaves no one without', () => {
  // The middle case is nearest to the left one, but the right one has no other.
  const truth = [staged('left', { xM: 0 }), staged('right', { xM: 12 })];
  const cases = [seen('middle', { xM: 4 }), seen('far-left', { xM: -6 })];
  expect(ids(matchIncidents(truth, cases))).toEqual([
    ['left', 'far-left'],
    ['right', 'middle'],
  ]);
});

test('the same spot twice: time tells which is which', () => {
  const truth = [staged('first', { fromS: 10, toS: 25 }), staged('second', { fromS: 60, toS: 75 })];
  const cases = [seen('late', { startedS: 61 }), seen('early', { startedS: 11 })];
  expect(ids(matchIncidents(truth, cases))).toEqual([
    ['first', 'early'],
    ['second', 'late'],
  ]);
});

test('a second case of the same thing is a false alarm', () => {
  const report = matchIncidents([staged('s')], [seen('c1', { xM: 1 }), seen('c2', { xM: 2 })]);
  expect(counts(report)).toEqual({ staged: 1, detected: 1, missed: 0, falseAlarms: 1 });
  expect(report.unfounded.map((u) => u.case.id)).toEqual(['c2']);
});

test('one case for two things is one missed', () => {
  const report = matchIncidents([staged('a'), staged('b', { xM: 4 })], [seen('c', { xM: 1 })]);
  expect(counts(report)).toEqual({ staged: 2, detected: 1, missed: 1, falseAlarms: 0 });
  expect(report.missing.map((m) => m.id)).toEqual(['b']);
});

test('sources are counted apart, and what people reported is nobody’s false alarm', () => {
  const sensor = { class: { flag: 1, code: '0118', fault: 'lamp_out' }, source: 'sensor' } as const;
  const report = matchBySource(
    [staged('cam'), staged('sen', sensor)],
    [seen('c'), seen('s', sensor), seen('h', { source: 'hotline' })],
  );
  expect(counts(report.camera)).toEqual({ staged: 1, detected: 1, missed: 0, falseAlarms: 0 });
  expect(counts(report.sensor)).toEqual({ staged: 1, detected: 1, missed: 0, falseAlarms: 0 });
});

test('whatever there is, every case and every incident is counted once', () => {
  const place = fc.record({ xM: fc.integer({ min: 0, max: 30 }), s: fc.integer({ min: 0, max: 60 }) });
  fc.assert(
    fc.property(fc.array(place, { maxLength: 12 }), fc.array(place, { maxLength: 12 }), (truths, found) => {
      const truth = truths.map(({ xM, s }, i) => staged(`s${i}`, { xM, fromS: s, toS: s + 15 }));
      const cases = found.map(({ xM, s }, i) => seen(`c${i}`, { xM, startedS: s }));
      const report = matchIncidents(truth, cases);
      expect(report.detected + report.missed).toBe(truth.length);
      expect(report.detected + report.falseAlarms).toBe(cases.length);
      expect(new Set(report.pairs.map((p) => p.staged)).size).toBe(report.detected);
      expect(new Set(report.pairs.map((p) => p.seen)).size).toBe(report.detected);
      for (const p of report.pairs) expect(p.offM).toBeLessThanOrEqual(10);
      // Nobody left over could still be paired with a case left over.
      for (const m of report.missing) expect(matchIncidents([m], report.unfounded).detected).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('the truth of a script: repeats and what no device has told are left out', () => {
  const city = buildDemoCity({ seed: 3 });
  const { sensors, cameras } = demoScript(city, { seed: 3, durationS: 90 });
  const [first, second] = sensors as [SensorIncident, SensorIncident];
  const told = new Map([
    [first.id, { firstAt: START + 7, lastAt: START + 9, times: [START + 7, START + 9] }],
    [second.id, { firstAt: START, lastAt: START, times: [START] }],
  ]);
  expect(sensorTruth([first, { ...second, repeats: true }, ...sensors.slice(2)], told)).toEqual([
    {
      id: first.id,
      source: 'sensor',
      class: first.class,
      component: first.component,
      lon: first.lon,
      lat: first.lat,
      standsFrom: START + 7,
      standsTo: START + 9,
      confirmMs: first.confirmMs,
    },
  ]);
  const truth = cameraTruth(cameras, START);
  expect(truth.map((t) => t.standsFrom - START)).toEqual(cameras.map((c) => c.standsFromMs));
  expect(
    cameraTruth(
      cameras.map((c) => ({ ...c, repeats: true })),
      START,
    ),
  ).toEqual([]);
});

test('a rule that counts samples is confirmed by the sample that completes the count, not by the plan', () => {
  const city = buildDemoCity({ seed: 3 });
  const [any] = demoScript(city, { seed: 3, durationS: 90 }).sensors as [SensorIncident];
  const confirmMs = (forMs: number, samples: number, afterMs: readonly number[]) => {
    const times = afterMs.map((ms) => START + ms);
    const told = new Map([[any.id, { firstAt: START, lastAt: START + 9_000, times }]]);
    const planned = { ...any, confirmForMs: forMs, confirmSamples: samples, confirmMs: 1_000 };
    return sensorTruth([planned], told)[0]?.confirmMs;
  };
  // The alarm at once, then a report 300 ms later: 1,000 would hide 700 ms of latency.
  expect(confirmMs(0, 2, [0, 300, 1_300])).toBe(300);
  expect(confirmMs(5_000, 2, [0, 300, 1_300])).toBe(5_000);
  expect(confirmMs(0, 1, [0, 300])).toBe(0);
  // Not said often enough yet: as planned.
  expect(confirmMs(0, 2, [0])).toBe(1_000);
});

test('percentiles are values that were measured; without any there is none', () => {
  expect(summarizeLatency([])).toEqual({ p50: null, p95: null, p99: null, max: null });
  expect(summarizeLatency([7])).toEqual({ p50: 7, p95: 7, p99: 7, max: 7 });
  const many = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(summarizeLatency(many)).toEqual({ p50: 50, p95: 95, p99: 99, max: 100 });
  expect(percentile([1, 2, 3, 4], 0)).toBe(1);
});

test('what the city works on already makes no new case; what stands elsewhere is judged as ever', () => {
  const cover = { flag: 1, code: '0101', fault: 'cover_open' } as const;
  const old = (over: SeenOver) => seen('old', over).case;
  const open = [old({ xM: 3 }), old({ xM: 200, class: cover, component: '1101010101000001', source: 'sensor' })];
  const due = [
    staged('again', { xM: 0 }),
    staged('beside', { xM: 6 }),
    staged('far', { xM: 50 }),
    staged('found', { xM: 80 }),
    staged('cover', { xM: 200, class: cover, component: '1101010101000001', source: 'sensor' }),
    staged('next', { xM: 200, class: cover, component: '1101010101000002', source: 'sensor' }),
  ];
  const cases = [
    // Too near to an open case to be told apart by the place alone, and a case of its own: the centre decided.
    seen('a', { xM: 6.5 }),
    seen('b', { xM: 80 }),
    // Of what was there before the run: a camera that was not played yet.
    seen('before', { xM: 300, startedS: -40, confirmedS: 1 }),
    // The open case should have taken it.
    seen('c', { xM: 200, class: cover, component: '1101010101000001', source: 'sensor' }),
  ];
  const outcomes = incidentOutcomes({ due, possible: [], open, faulty: new Map(), since: START }, cases);
  expect(Object.fromEntries(outcomes.map((o) => [o.id, o.outcome]))).toEqual({
    again: 'repeat',
    beside: 'detected',
    far: 'missed',
    found: 'detected',
    cover: 'repeat',
    next: 'missed',
    c: 'false alarm',
  });
});

test('of a device that was made to be wrong a case may say what is wrong with it; all else is a false alarm', () => {
  const [cover, hydrant] = ['1101010102000001', '1101010113000001'];
  const of = (id: string, component: string, fault: string) =>
    seen(id, { component, class: { flag: 1, code: component.slice(6, 10), fault }, source: 'sensor' });
  const cases = [
    of('stuck', cover, 'device_fault'),
    of('opened', cover, 'cover_open'),
    of('flapping', hydrant, 'device_unstable'),
    of('fell', hydrant, 'hydrant_knocked_over'),
    of('leaks', hydrant, 'hydrant_unauthorised_use'),
    of('neighbour', '1101010102000002', 'device_fault'),
  ];
  const faulty = new Map([
    [cover, faultsToldOf('stuck', 'manhole_cover')],
    [hydrant, faultsToldOf('flapping', 'fire_hydrant')],
  ]);
  const outcomes = incidentOutcomes({ due: [], possible: [], open: [], faulty, since: START }, cases);
  expect(Object.fromEntries(outcomes.map((o) => [o.id, o.outcome]))).toEqual({
    stuck: 'faulty device',
    flapping: 'faulty device',
    fell: 'faulty device',
    opened: 'false alarm',
    leaks: 'false alarm',
    neighbour: 'false alarm',
  });
});
