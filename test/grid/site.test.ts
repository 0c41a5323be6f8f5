import { expect, test } from 'vitest';
import { type Site, siteMistakes } from '#grid/mod.ts';
import { SITE } from '../ingest/api/fixture.ts';

const camera = SITE.cameras[0] as object;
const rule = {
  id: 'r',
  detects: 'stall',
  raises: { event: '0501' },
  severity: 'normal',
  dwellS: 60,
  clearS: 60,
  confidenceMin: 0.5,
  stationaryM: 2,
};
const square = [
  [0.2, 0.2],
  [0.8, 0.2],
  [0.8, 0.8],
];
const mistakesOf = (changes: object) =>
  siteMistakes({
    timeZone: 'Asia/Shanghai',
    gateways: [],
    components: [],
    ...SITE,
    cameras: [{ ...camera, ...changes }],
  } as never as Site);

test('of a camera: points that determine no ground, polygons that enclose nothing, names that stand twice', () => {
  const { points } = (camera as { calibration: { points: { x: number; y: number; lon: number; lat: number }[] } }).calibration;
  expect(mistakesOf({})).toEqual([]);
  expect(mistakesOf({ calibration: { points: points.map((p) => ({ ...p, y: p.x })) } })).toMatchObject([
    { key: 'cameras.0.calibration', message: 'the points do not determine the ground' },
  ]);
  const line = [
    [0.1, 0.1],
    [0.2, 0.2],
    [0.3, 0.3],
  ];
  expect(mistakesOf({ exclude: [line], zones: [{ id: 'z', polygon: line, rules: [rule] }] }).map((m) => m.key)).toEqual([
    'cameras.0.zones.0.polygon',
    'cameras.0.exclude.0',
  ]);
  const zone = { id: 'z', polygon: square, rules: [rule, rule] };
  expect(mistakesOf({ zones: [zone, zone] }).map((m) => m.key)).toEqual([
    'cameras.0.zones.1.id',
    'cameras.0.zones.0.rules.1.id',
    'cameras.0.zones.1.rules.1.id',
  ]);
});
