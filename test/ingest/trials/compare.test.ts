import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { figuresOf, incidentsOf, type Raised, unmetBy } from '#ingest/trials/compare.ts';
import { PromotionConfig } from '#ingest/trials/mod.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const event = (side: Raised['side'], from: number, to: number, more: Partial<Raised> = {}): Raised => ({
  ...{ side, from: from * MINUTE, to: to * MINUTE, camera: 'cam-1', zone: 'z', detects: 'stall', counts: true, verdict: null },
  ...more,
});
const LIMITS = { ...(Value.Default(PromotionConfig, {}) as PromotionConfig), cameraHoursMin: 1, judgedMin: 2 };

test('events of one camera, zone and class that overlap are one incident; a word on one of them counts for it', () => {
  const incidents = incidentsOf([
    event('active', 0, 10, { verdict: 'accepted' }),
    event('candidate', 1, 4),
    // It was cleared and came again while the other one went on.
    event('candidate', 4.5, 9),
    event('candidate', 30, 40, { verdict: 'rejected' }),
    event('active', 30, 40, { zone: 'other' }),
    event('active', 50, 60, { verdict: 'accepted' }),
  ]);
  const { both, gained, lost, active, candidate } = figuresOf(incidents, DAY / 2);
  expect({ both, gained, lost }).toEqual({
    both: { accepted: 1, rejected: 0, unjudged: 0 },
    gained: { accepted: 0, rejected: 1, unjudged: 0 },
    lost: { accepted: 1, rejected: 0, unjudged: 1 },
  });
  expect(active).toEqual({ incidents: 3, precision: 1, falseAlarmsPerCameraDay: 0 });
  expect(candidate).toEqual({ incidents: 2, precision: 0.5, falseAlarmsPerCameraDay: 2 });
});

test('what stood before both looked explains what the other raised, and counts for nobody by itself', () => {
  const standing = event('active', 0, 100, { counts: false });
  expect(incidentsOf([standing])).toEqual([]);
  const [seen] = incidentsOf([standing, event('candidate', 50, 100)]);
  expect(seen).toMatchObject({ active: true, candidate: true });
});

test('limits: too little watched or judged, differences that nobody judged, too much lost, more false alarms', () => {
  const figures = (...raised: Raised[]) => figuresOf(incidentsOf(raised), DAY);
  const right = (at: number, side: Raised['side']) => event(side, at, at + 1, { verdict: 'accepted' });
  const wrong = (at: number, side: Raised['side']) => event(side, at, at + 1, { verdict: 'rejected' });
  const pair = (at: number, of = right) => [of(at, 'active'), of(at, 'candidate')];
  const unmet = (raised: Raised[], watchedMs = DAY) => unmetBy(figures(...raised), watchedMs, LIMITS).map((u) => u.limit);
  expect(unmet([...pair(0), ...pair(10)])).toEqual([]);
  expect(unmet([...pair(0), ...pair(10)], 0)).toEqual(['cameraHoursMin']);
  expect(unmet(pair(0))).toEqual(['judgedMin']);
  expect(unmet([...pair(0), ...pair(10), event('candidate', 20, 21)])).toEqual(['differencesJudgedMin']);
  expect(unmet([...pair(0), ...pair(10), right(20, 'active')])).toEqual(['lostShareMax']);
  expect(unmet([...pair(0), ...pair(10), right(20, 'candidate')])).toEqual([]);
  expect(unmet([...pair(0), ...pair(10), wrong(20, 'candidate')])).toEqual(['falseAlarmRatioMax']);
  expect(unmet([...pair(0), ...pair(10, wrong), wrong(20, 'active')])).toEqual([]);
});
