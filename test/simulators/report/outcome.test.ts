import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareReports,
  Histogram,
  type IncidentOutcome,
  judgeRun,
  mergeReports,
  noEvents,
  type RunReport,
  reportHtml,
} from '#simulators/report/mod.ts';
import type { Usage } from '#simulators/target/mod.ts';
import { REPORT } from '../../support/report.ts';

test('a histogram tells every percentile to one part in 64, and two of them add up exactly', () => {
  const values = fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [all, one, two] = [new Histogram(), new Histogram(), new Histogram()];
      for (const v of a) one.record(v);
      for (const v of b) two.record(v);
      for (const v of [...a, ...b]) all.record(v);
      const sum = Histogram.of(JSON.parse(JSON.stringify(one.counts)));
      sum.add(two.counts);
      expect(sum.counts).toEqual(all.counts);
      const sorted = [...a, ...b].sort((x, y) => x - y);
      for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
        const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
        const told = all.percentile(share) as number;
        expect(told).toBeGreaterThanOrEqual(exact);
        expect(told).toBeLessThanOrEqual(exact * (1 + 1 / 64) + 1);
      }
      expect(all.max).toBe(sorted.at(-1));
    }),
  );
  expect(new Histogram().percentile(0.5)).toBeNull();
});

describe('the verdict', () => {
  const failing = (over: Partial<RunReport>) =>
    judgeRun({ ...REPORT, ...over })
      .checks.filter((c) => !c.holds)
      .map((c) => c.name);

  test('passes what keeps to its limits, and names what does not', () => {
    expect(judgeRun(REPORT)).toMatchObject({
      valid: true,
      passed: true,
      incidents: { staged: 2, detected: 1, missed: 1, falseAlarms: 0 },
    });
    expect(failing({ readings: { ...REPORT.readings, lost: 1 } })).toEqual(['lost']);
    expect(failing({ latencies: { ...REPORT.latencies, ack: [[60, 90]] } })).toEqual(['ackP99Ms']);
    expect(failing({ incidents: REPORT.incidents.slice(1) })).toEqual(['detectedShare']);
    expect(failing({ readings: { ...REPORT.readings, acked: 0 } })).toEqual(['ackedShare']);
    expect(failing({ readings: { ...REPORT.readings, acked: 89 } })).toEqual(['ackedShare']);
  });

  test('a value that was altered fails any run; events are judged where a scenario names them, and what nobody counted holds for nothing', () => {
    expect(failing({ content: { compared: 40, altered: 1, examples: [] } })).toEqual(['altered']);
    expect(failing({ content: { compared: 0, altered: 0, examples: [] } })).toEqual(['altered']);
    const limits = { ...REPORT.limits, thresholds: { eventsLostMax: 0, eventsDuplicatedMax: 0, eventsLateMax: 3 } };
    expect(failing({ limits })).toEqual([]);
    expect(failing({ limits, events: { ...REPORT.events, lost: 1, late: 4 } })).toEqual(['eventsLost', 'eventsLate']);
    expect(failing({ limits, events: noEvents('no edge says it') })).toEqual(['eventsLost', 'eventsDuplicated', 'eventsLate']);
  });

  test('a part in which nothing fell due is not judged by it; the whole run is', () => {
    const nothing = { incidents: [], limits: { ...REPORT.limits, thresholds: { detectedShareMin: 1, caseP95MsMax: 9 } } };
    const latencies = { ...REPORT.latencies, case: [] };
    expect(failing({ ...nothing, latencies, parts: ['1/2'] })).toEqual([]);
    expect(failing({ ...nothing, latencies, parts: ['1/2', '2/2'] })).toEqual(['caseP95Ms', 'detectedShare']);
  });

  test('what was not measured holds for nothing, and is said to be so', () => {
    const limits = {
      ...REPORT.limits,
      thresholds: { caseP95MsMax: 3000, lateShareMax: 1, detectedShareMin: 0, ackP99MsMax: 9e9 },
    };
    const nothing = { ...REPORT.latencies, ack: [], case: [] };
    const silent = { ...REPORT, limits, latencies: nothing, incidents: [], readings: { ...REPORT.readings, acked: 0 } };
    expect(failing(silent)).toEqual(['lateShare', 'ackP99Ms', 'caseP95Ms', 'detectedShare', 'ackedShare']);
    expect(reportHtml(silent)).toContain('not measured');
  });

  test('cameras are judged by thresholds of their own, where they were played', () => {
    const limits = {
      ...REPORT.limits,
      thresholds: { cameraDetectedShareMin: 0.9, cameraFalseAlarmsMax: 0, cameraCaseP95MsMax: 5000 },
    };
    const seen = (outcome: 'detected' | 'missed' | 'false alarm') =>
      ({ id: outcome, source: 'camera', class: '2:0501', outcome, delayMs: outcome === 'detected' ? 90 : null }) as const;
    const city = { ...REPORT.city, cameras: 4 };
    const latencies = { ...REPORT.latencies, cameraCase: [[90, 1]] as const };
    const of = (...outcomes: Parameters<typeof seen>[0][]) =>
      failing({ limits, city, latencies, incidents: [...REPORT.incidents, ...outcomes.map(seen)] });
    expect(of('detected')).toEqual([]);
    expect(of('detected', 'missed')).toEqual(['cameraDetectedShare']);
    expect(of('detected', 'false alarm')).toEqual(['cameraFalseAlarms']);
    expect(of()).toEqual(['cameraDetectedShare']);
    expect(failing({ limits })).toEqual([]);
  });

  test('a run in which the generator fell behind is invalid, whatever else holds', () => {
    const slow = new Histogram();
    slow.record(10, 95);
    slow.record(900, 5);
    const verdict = judgeRun({ ...REPORT, latencies: { ...REPORT.latencies, lag: slow.counts } });
    expect([verdict.valid, verdict.passed]).toEqual([false, false]);
  });
});

describe('generators add up to one report', () => {
  const one: RunReport = { ...REPORT, parts: ['1/2'], deadLetters: [{ hop: 'edge', code: 'A', count: 2 }] };
  const other: RunReport = {
    ...REPORT,
    parts: ['2/2'],
    readings: { ...REPORT.readings, lost: 3 },
    events: { ...REPORT.events, sent: 6, lost: 2, notes: ['lost x'] },
    content: { compared: 2, altered: 1, examples: [] },
    curve: [...REPORT.curve, { ...REPORT.curve[0], atS: 2 } as never],
    deadLetters: [
      { hop: 'edge', code: 'A', count: 3 },
      { hop: 'centre', code: 'A', count: 1 },
    ],
  };

  test('counts, histograms, seconds, dead letters by hop and code', () => {
    const both = mergeReports([one, other]);
    expect(both).toMatchObject({
      parts: ['1/2', '2/2'],
      city: { devices: 200 },
      readings: { sent: 200, lost: 3 },
      events: { by: 'edges', sent: 10, lost: 2, notes: ['lost x'] },
      content: { compared: 42, altered: 1 },
      latencies: { ack: [[10, 180]] },
      deadLetters: [
        { hop: 'edge', code: 'A', count: 5 },
        { hop: 'centre', code: 'A', count: 1 },
      ],
    });
    expect(both.curve.map((s) => [s.atS, s.due])).toEqual([
      [1, 100],
      [2, 50],
    ]);
    expect(judgeRun(both).passed).toBe(false);
    expect(mergeReports([one, { ...other, events: noEvents('not told') }]).events).toMatchObject({ by: 'nobody', lost: null });
  });

  test.for<[string, RunReport[], string]>([
    ['one part twice', [one, one], 'twice'],
    ['a part that is missing', [one], 'not all parts'],
    [
      'two of three',
      [
        { ...one, parts: ['1/3'] },
        { ...other, parts: ['3/3'] },
      ],
      'not all parts',
    ],
    ['another seed', [one, { ...other, seed: 2 }], 'seed 2'],
    ['another voice', [one, { ...other, as: 'edges' }], 'as "edges"'],
    ['other limits', [one, { ...other, limits: { ...REPORT.limits, lateMs: 1 } }], 'limits'],
    ['another time', [one, { ...other, startedAt: one.endedAt + 1, endedAt: one.endedAt + 2 }], 'same time'],
  ])('%s is refused', ([, reports, why]) => {
    expect(() => mergeReports(reports)).toThrow(why);
  });
});

describe('a comparison', () => {
  const worse = (after: Partial<RunReport>, before: Partial<RunReport> = {}) =>
    compareReports({ ...REPORT, ...before }, { ...REPORT, ...after })
      .differences.filter((d) => d.worse)
      .map((d) => d.name);

  test('tells what got worse, and no noise', () => {
    expect(worse({})).toEqual([]);
    expect(worse({ latencies: { ...REPORT.latencies, ack: [[11, 90]] } })).toEqual([]);
    expect(worse({ latencies: { ...REPORT.latencies, ack: [[40, 90]] } })).toEqual(['ackP50Ms', 'ackP99Ms']);
    expect(worse({ readings: { ...REPORT.readings, lost: 1 } })).toEqual(['passed', 'lost']);
    expect(worse({ readings: { ...REPORT.readings, acked: 98, inDoubt: 2 } })).toContain('ackedShare');
    expect(worse({ readings: { ...REPORT.readings, acked: 98, inDoubt: 2 } })).toContain('inDoubt');
    expect(worse({ events: { ...REPORT.events, lost: 1 } })).toEqual(['eventsLost']);
    expect(worse({ deadLetters: [{ hop: 'edge', code: 'A', count: 1 }] })).toEqual(['deadLetters']);
    expect(worse({ latencies: { ...REPORT.latencies, lag: [[900, 100]] } })).toEqual(['passed', 'valid']);
    const busier = ([first, last]: readonly Usage[] = []) => [first as Usage, { ...(last as Usage), cpuS: 20 }];
    const { centre, 'edge-01': edge } = REPORT.usage;
    expect(worse({ usage: { ...REPORT.usage, centre: busier(centre) } })).toEqual(['centreCpuUsPerReading']);
    expect(worse({ usage: { ...REPORT.usage, 'edge-01': busier(edge) } })).toEqual(['edgesCpuUsPerReading']);
  });

  test('what was measured and could not be measured again is worse; what is measured anew is not', () => {
    const silent = { latencies: { ...REPORT.latencies, ack: [], case: [] }, usage: {}, events: noEvents('') };
    const names = ['ackP50Ms', 'ackP99Ms', 'caseP95Ms', 'eventsLost', 'centreCpuUsPerReading', 'edgeResidentMb'];
    expect(worse(silent)).toEqual(expect.arrayContaining(names));
    expect(worse({}, { ...silent, limits: REPORT.limits })).toEqual([]);
  });

  test('refuses another scenario or size, and says what else is another', () => {
    const compare = (after: Partial<RunReport>) => compareReports(REPORT, { ...REPORT, ...after });
    expect(() => compare({ scenario: 'rain-storm' })).toThrow('scenario "quiet-day", then "rain-storm"');
    expect(() => compare({ city: { ...REPORT.city, devices: 50 } })).toThrow('city');
    expect(() => compare({ as: 'edges' })).toThrow('as');
    expect(compare({ target: 'http://10.0.0.5' }).notes).toEqual(['target "http://127.0.0.1:20080", then "http://10.0.0.5"']);
  });
});

describe('the page', () => {
  test('shows it in both languages, escapes what it is given and fetches nothing', () => {
    const html = reportHtml({ ...REPORT, title: { zh: '<b>', en: '&"' } });
    expect(html).toContain('通过 Passed');
    expect(html).toContain('&#60;b&#62; &#38;&#34;');
    expect(html).toContain('<svg');
    expect(html).not.toMatch(/src=|href=|@import|https?:|<script/);
  });

  test('nothing that failed is cut off it, and what was missed stands first', () => {
    const of = (outcome: IncidentOutcome['outcome'], n: number): IncidentOutcome[] =>
      Array.from({ length: n }, (_, i) => ({
        id: `${outcome}-${i}.`,
        source: 'sensor',
        class: '2:0404',
        outcome,
        delayMs: null,
      }));
    const trouble = Array.from({ length: 600 }, (_, i) => ({
      ...{ device: `dev-${i}.`, edge: 'edge-01', sent: 9, acked: 9, stored: 8, lost: 1 },
      ...{ duplicated: 0, unexpected: 0, altered: 0, which: ['lost 4'] },
    }));
    const incidents = [...of('detected', 400), ...of('false alarm', 250), ...of('missed', 250)];
    const html = reportHtml({ ...REPORT, incidents, trouble, moreTrouble: 7 });
    for (const id of ['missed-249.', 'false alarm-249.', 'dev-599.', '7 more devices', '200 more rows'])
      expect(html).toContain(id);
    expect(html.indexOf('missed-0.')).toBeLessThan(html.indexOf('false alarm-0.'));
    expect(html.indexOf('false alarm-249.')).toBeLessThan(html.indexOf('detected-0.'));
  });

  test('says what became of events, what was altered, and what a process of the target does not say', () => {
    const [first, last] = REPORT.usage.centre as [Usage, Usage];
    const altered = { device: 'mhc0001', seq: 5, ts: 1_700_000_000_000, field: 'tilt_deg', sent: 1.5, stored: 9.5 };
    const html = reportHtml({
      ...REPORT,
      events: noEvents('no edge says how many'),
      content: { compared: 7, altered: 1, examples: [altered] },
      usage: { centre: [first, last].map((u) => ({ ...u, residentMb: null })), 'edge-01': [] },
    });
    for (const text of ['no edge says how many', '未知 not known', 'mhc0001', 'tilt_deg', '1.5', '9.5'])
      expect(html).toContain(text);
    expect(html).toContain('centre does not say residentMb');
    expect(html).toContain('edge-01 did not answer');
    expect(html).toContain('2023-11-14T22:13:20.000Z');
  });
});
