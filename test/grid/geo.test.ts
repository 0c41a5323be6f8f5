import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  areaM2,
  cellsToGeoJson,
  createCellIndex,
  distanceM,
  inPolygon,
  localPlane,
  NEAR_CELL_M,
  type SiteCell,
} from '#grid/mod.ts';

const origin = { lon: 116.4, lat: 39.9 };
const plane = localPlane(origin);
const at = (xM: number, yM: number) => plane.toPosition({ xM, yM });
const corner = (xM: number, yM: number): [number, number] => [at(xM, yM).lon, at(xM, yM).lat];
const square = (code: string, x: number, y: number): SiteCell => ({
  code,
  polygon: [corner(x, y), corner(x + 100, y), corner(x + 100, y + 100), corner(x, y + 100)],
});
const cells = [square('110101001001001', 0, 0), square('110101001001002', 100, 0), square('110101001001003', 0, 100)];

test('the local plane agrees with the great circle, and goes there and back', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1500, max: 1500, noNaN: true }),
      fc.double({ min: -1500, max: 1500, noNaN: true }),
      (xM, yM) => {
        expect(Math.abs(distanceM(origin, at(xM, yM)) - Math.hypot(xM, yM))).toBeLessThan(0.5);
        const back = plane.toLocal(at(xM, yM));
        expect(Math.hypot(back.xM - xM, back.yM - yM)).toBeLessThan(1e-5);
      },
    ),
  );
});

test('distances agree with known ones, over the date line too', () => {
  // One degree of latitude on the mean sphere.
  expect(distanceM({ lon: 0, lat: 0 }, { lon: 0, lat: 1 })).toBeCloseTo(111_195, -1);
  // Beijing to Dalian, about 461 km.
  expect(distanceM({ lon: 116.4074, lat: 39.9042 }, { lon: 121.6147, lat: 38.914 }) / 1000).toBeCloseTo(461, -1);
  expect(distanceM({ lon: 179.9999, lat: 10 }, { lon: -179.9999, lat: 10 })).toBeLessThan(25);
});

test('a point lies in the cell that holds it, and in the nearest one only within the margin', () => {
  const index = createCellIndex(cells);
  expect(index.cellAt(at(50, 50))).toBe('110101001001001');
  expect(index.cellAt(at(150, 50))).toBe('110101001001002');
  expect(index.cellAt(at(50, 150))).toBe('110101001001003');
  expect(index.cellAt(at(-10, 50))).toBeNull();
  expect(index.cellNear(at(-10, 50), NEAR_CELL_M)).toBe('110101001001001');
  expect(index.cellNear(at(-40, 50), NEAR_CELL_M)).toBeNull();
});

test('the index finds what a plain search finds', () => {
  const index = createCellIndex(cells);
  fc.assert(
    fc.property(fc.double({ min: -20, max: 220, noNaN: true }), fc.double({ min: -20, max: 220, noNaN: true }), (xM, yM) => {
      const p = at(xM, yM);
      const plain =
        cells
          .filter((c) => inPolygon(p.lon, p.lat, c.polygon))
          .map((c) => c.code)
          .sort()[0] ?? null;
      expect(index.cellAt(p)).toBe(plain);
    }),
  );
});

test('GeoJSON rings are closed and carry the area', () => {
  const feature = cellsToGeoJson(cells).features[0];
  expect(feature?.geometry.coordinates[0]?.at(0)).toEqual(feature?.geometry.coordinates[0]?.at(-1));
  expect(feature?.properties.areaM2).toBe(10_000);
  expect(areaM2(cells[0]?.polygon ?? [])).toBeCloseTo(10_000, 0);
});
