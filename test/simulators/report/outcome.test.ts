import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareReports, Histogram, judgeRun, mergeReports, type RunReport, reportHtml } from '#simulators/report/mod.ts';
import type { Usage } from '#simulators/target/mod.ts';

const REPORT: RunReport = {
  version: 1,
  scenario: 'quiet-day',
  title: { zh: '平静', en: 'Quiet' },
  as: 'devices',
  seed: 1,
  parts: ['1/2'],
  startedAt: 1_700_000_000_000,
  endedAt: 1_700_000_020_000,
  durationS: 20,
  interrupted: false,
  city: { cells: 10, edges: 1, devices: 100, cameras: 0 },
  readings: { sent: 100, acked: 100, stored: 100, lost: 0, duplicated: 0, unexpected: 0, late: 1, dropped: 0, inDoubt: 0 },
  events: { sent: 0, stored: 0 },
  connections: { clients: 100, connects: 100, refused: 0, resent: 0 },
  latencies: { ack: [[10, 90]], lag: [[5, 100]], case: [[100, 2]], cameraCase: [] },
  curve: [{ atS: 1, due: 50, acked: 45, p99Ms: 10, pending: 5, connected: 100, lagMsMax: 5 }],
  trouble: [],
  incidents: [
    { id: 'a', source: 'sensor', class: '1:0134:circuit_dark', outcome: 'detected', delayMs: 100 },
    { id: 'b', source: 'sensor', class: '2:0404', outcome: 'missed', delayMs: null },
    { id: 'c', source: 'sensor', class: '2:0404', outcome: 'possible', delayMs: null },
  ],
  deadLetters: [],
  usage: {
    centre: [
      { atS: 0, cpuS: 10, residentMb: 200, eventLoopP99Ms: 10 },
      { atS: 1, cpuS: 10.5, residentMb: 210, eventLoopP99Ms: 11 },
    ],
    'edge-01': [
      { atS: 0, cpuS: 4, residentMb: 300, eventLoopP99Ms: 10 },
      { atS: 1, cpuS: 4.2, residentMb: 310, eventLoopP99Ms: 11 },
    ],
  },
  limits: {
    lateMs: 5000,
    lagP99MsMax: 250,
    thresholds: { lostMax: 0, ackP99MsMax: 50, detectedShareMin: 0.5 },
  },
};

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

test('generators add up to one report', () => {
  const other: RunReport = {
    ...REPORT,
    parts: ['2/2'],
    readings: { ...REPORT.readings, lost: 3 },
    curve: [...REPORT.curve, { ...REPORT.curve[0], atS: 2 } as never],
  };
  const both = mergeReports([REPORT, other]);
  expect(both).toMatchObject({
    parts: ['1/2', '2/2'],
    city: { devices: 200 },
    readings: { sent: 200, lost: 3 },
    latencies: { ack: [[10, 180]] },
  });
  expect(both.curve.map((s) => [s.atS, s.due])).toEqual([
    [1, 100],
    [2, 50],
  ]);
  expect(judgeRun(both).passed).toBe(false);
  expect(() => mergeReports([REPORT, REPORT])).toThrow('twice');
  expect(() => mergeReports([REPORT, { ...other, seed: 2 }])).toThrow('another run');
});

test('a comparison tells what got worse, and no noise', () => {
  const worse = (after: Partial<RunReport>) =>
    compareReports(REPORT, { ...REPORT, ...after })
      .filter((d) => d.worse)
      .map((d) => d.name);
  expect(worse({})).toEqual([]);
  expect(worse({ latencies: { ...REPORT.latencies, ack: [[11, 90]] } })).toEqual([]);
  expect(worse({ latencies: { ...REPORT.latencies, ack: [[40, 90]] } })).toEqual(['ackP50Ms', 'ackP99Ms']);
  expect(worse({ readings: { ...REPORT.readings, lost: 1 } })).toEqual(['lost']);
  const busier = ([first, last]: readonly Usage[] = []) => [first as Usage, { ...(last as Usage), cpuS: 20 }];
  const { centre, 'edge-01': edge } = REPORT.usage;
  expect(worse({ usage: { ...REPORT.usage, centre: busier(centre) } })).toEqual(['centreCpuUsPerReading']);
  expect(worse({ usage: { ...REPORT.usage, 'edge-01': busier(edge) } })).toEqual(['edgesCpuUsPerReading']);
});

test('the page shows it in both languages, escapes what it is given and fetches nothing', () => {
  const html = reportHtml({ ...REPORT, title: { zh: '<b>', en: '&"' } });
  expect(html).toContain('通过 Passed');
  expect(html).toContain('&#60;b&#62; &#38;&#34;');
  expect(html).toContain('<svg');
  expect(html).not.toMatch(/src=|href=|@import|https?:|<script/);
});
