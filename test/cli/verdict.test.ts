import { expect, test } from 'vitest';
import { shortfalls, type Verdict } from '#cli/demo/verdict.ts';

const counts = { staged: 16, detected: 16, missed: 0, falseAlarms: 0 };
const GOOD: Verdict = {
  readings: { sent: 5000, stored: 5000 },
  incidents: { sensors: { ...counts }, cameras: { ...counts } },
  cases: { opened: 32, fromCameras: 16, fromCamerasWithEvidence: 16 },
  latencyMs: { sensors: { p50: 80, max: 200 }, cameras: { p50: 400, max: 4000 } },
  cameras: { online: 4, analysedFps: 8, droppedFrames: 0 },
};
const missed = (change: (v: Verdict) => void, full = true) => {
  const verdict = structuredClone(GOOD);
  change(verdict);
  return shortfalls(verdict, { full });
};

test('a good run falls short of nothing', () => expect(missed(() => undefined)).toEqual([]));

test.each<[string, (v: Verdict) => void, RegExp]>([
  ['one reading lost', (v) => (v.readings.stored = 4999), /4999 are stored/],
  ['one reading twice', (v) => (v.readings.stored = 5001), /5001 are stored/],
  ['no reading at all', (v) => Object.assign(v.readings, { sent: 0, stored: 0 }), /no reading/],
  ['two of sixteen missed', (v) => (v.incidents.cameras.detected = 14), /14 of 16/],
  ['two false alarms', (v) => (v.incidents.sensors.falseAlarms = 2), /2 false alarms/],
  ['too few camera incidents', (v) => Object.assign(v.incidents.cameras, { staged: 9, detected: 9 }), /only 9/],
  ['nothing staged', (v) => Object.assign(v.incidents.sensors, { staged: 0, detected: 0 }), /nothing was staged/],
  ['a camera case without evidence', (v) => (v.cases.fromCamerasWithEvidence = 15), /1 camera cases/],
  ['a slow sensor case', (v) => (v.latencyMs.sensors.max = 1501), /1501 ms/],
])('%s is told', (_name, change, wanted) => {
  const found = missed(change);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(wanted);
});

test('one of sixteen missed and one false alarm are within the thresholds; a short run may stage less', () => {
  expect(missed((v) => Object.assign(v.incidents.cameras, { detected: 15, missed: 1, falseAlarms: 1 }))).toEqual([]);
  expect(missed((v) => Object.assign(v.incidents.cameras, { staged: 3, detected: 3 }), false)).toEqual([]);
});
