import { expect, test } from 'vitest';
import { distanceM, fromGcj02, toGcj02 } from '#grid/mod.ts';

/** WGS-84 and what other programs make of it (eviltransform's own test data). */
const KNOWN = [
  { wgs: { lat: 31.1774276, lon: 121.5272106 }, gcj: { lat: 31.17530398364597, lon: 121.531541859215 } },
  { wgs: { lat: 22.543847, lon: 113.912316 }, gcj: { lat: 22.540796131694766, lon: 113.9171764808363 } },
  { wgs: { lat: 39.911954, lon: 116.377817 }, gcj: { lat: 39.91334545536069, lon: 116.38404722455657 } },
];

test('known points: Shanghai, Shenzhen, Beijing', () => {
  for (const { wgs, gcj } of KNOWN) {
    const made = toGcj02(wgs);
    expect(made.lon).toBeCloseTo(gcj.lon, 12);
    expect(made.lat).toBeCloseTo(gcj.lat, 12);
    expect(distanceM(wgs, gcj)).toBeGreaterThan(400);
  }
});

test('there and back is the same place, within 1e-6 degrees and far below, all over the country', () => {
  for (let lon = 74; lon <= 135; lon += 3.7)
    for (let lat = 4; lat <= 53; lat += 2.9) {
      const back = fromGcj02(toGcj02({ lon, lat }));
      expect(Math.abs(back.lon - lon)).toBeLessThan(1e-9);
      expect(Math.abs(back.lat - lat)).toBeLessThan(1e-9);
    }
});

test('elsewhere nothing is shifted', () => {
  const paris = { lon: 2.35, lat: 48.85 };
  expect(toGcj02(paris)).toEqual(paris);
  expect(fromGcj02(paris)).toEqual(paris);
});
