import { expect, test } from 'vitest';
import { Site, siteMistakes } from '#grid/mod.ts';
import { checkConfig } from '#service/mod.ts';
import { SITE, ZONE } from '../ingest/api/fixture.ts';

const camera = SITE.cameras[0] as object;
const mistakesOf = (changes: object) =>
  siteMistakes(checkConfig('test', Site, { ...SITE, cameras: [{ ...camera, ...changes }] }));

test('of a camera: points that determine no ground, polygons that enclose nothing, names that stand twice', () => {
  const { points } = (camera as { calibration: { points: { x: number; y: number; lon: number; lat: number }[] } }).calibration;
  expect(mistakesOf({})).toEqual([]);
  expect(mistakesOf({ calibration: { points: points.map((p) => ({ ...p, y: p.x })) } })).toMatchObject([
    { key: 'cameras.0.calibration', message: expect.stringMatching(/^the points do not determine the ground: measure/) },
  ]);
  const line = [
    [0.1, 0.1],
    [0.2, 0.2],
    [0.3, 0.3],
  ];
  expect(mistakesOf({ exclude: [line], zones: [{ ...ZONE, polygon: line }] }).map((m) => m.key)).toEqual([
    'cameras.0.zones.0.polygon',
    'cameras.0.exclude.0',
  ]);
  const zone = { ...ZONE, rules: [...ZONE.rules, ...ZONE.rules] };
  expect(mistakesOf({ zones: [zone, zone] }).map((m) => m.key)).toEqual([
    'cameras.0.zones.1.id',
    'cameras.0.zones.0.rules.1.id',
    'cameras.0.zones.1.rules.1.id',
  ]);
});

test('of a zone rule: people, counts of lines, lines without length, more pictures than there are, days that nobody named', () => {
  const rule = ZONE.rules[0];
  const mistakesWith = (changes: object) => mistakesOf({ zones: [{ ...ZONE, rules: [{ ...rule, ...changes }] }] });
  const keyOf = (part: string) => `cameras.0.zones.0.rules.0.${part}`;
  const line = (x: number) => ({
    line: [
      [0.5, 0.5],
      [x, 0.5],
    ],
    way: 'any',
  });
  expect(mistakesWith({ detects: 'person' })).toMatchObject([
    { key: keyOf('detects'), message: 'people are never an event class' },
  ]);
  expect(mistakesWith({ pictures: { seen: 3, of: 2 } })).toMatchObject([{ key: keyOf('pictures.seen'), value: 3 }]);
  expect(mistakesWith({ crosses: line(0.6), dwellS: 0 })).toEqual([]);
  expect(mistakesWith({ crosses: line(0.5), dwellS: 0 })).toMatchObject([{ key: keyOf('crosses.line') }]);
  expect(mistakesWith({ crosses: line(0.6), dwellS: 5, count: { above: 2 } }).map((m) => m.key)).toEqual([
    keyOf('count'),
    keyOf('dwellS'),
  ]);
  const window = { from: '18:00', to: '23:00', calendar: 'holidays', exceptCalendar: 'markets' };
  expect(mistakesWith({ schedule: [window], permitted: [window] }).map((m) => m.key)).toEqual(
    ['schedule.0.calendar', 'schedule.0.exceptCalendar', 'permitted.0.calendar', 'permitted.0.exceptCalendar'].map(keyOf),
  );
  const never = { holidays: ['2027-02-17', '2027-02-29'], markets: [] };
  expect(siteMistakes(checkConfig('test', Site, { ...SITE, calendars: never })).map((m) => m.key)).toEqual([
    'calendars.holidays.1',
  ]);
  const calendars = { holidays: ['2027-02-17'], markets: [] };
  const zones = [{ ...ZONE, rules: [{ ...rule, schedule: [window] }] }];
  expect(siteMistakes(checkConfig('test', Site, { ...SITE, calendars, cameras: [{ ...camera, zones }] }))).toEqual([]);
});
