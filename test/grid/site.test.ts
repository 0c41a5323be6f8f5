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
    { key: 'cameras.0.calibration', message: 'the points do not determine the ground' },
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
