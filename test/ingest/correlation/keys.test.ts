import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distanceM, type Place } from '#grid/mod.ts';
import { isWide, joinLocks, placeKeys } from '#ingest/correlation/mod.ts';

const CELL = '210283001001017';
const place = (lon: number, lat: number, errorRadiusM: number, component?: string): Place => ({
  lon,
  lat,
  errorRadiusM,
  cell: CELL,
  ...(component ? { component } : {}),
});

describe('keys of a place', () => {
  it('circles that touch share a key, or one of them looks at the whole class', () => {
    const near = fc.record({
      lon: fc.oneof(fc.double({ min: 73, max: 135, noNaN: true }), fc.constantFrom(-180, 180, 179.9999, -179.9999)),
      lat: fc.double({ min: -85, max: 85, noNaN: true }),
      r1: fc.double({ min: 0, max: 1500, noNaN: true }),
      r2: fc.double({ min: 0, max: 1500, noNaN: true }),
      bearing: fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    let narrow = 0;
    fc.assert(
      fc.property(near, ({ lon, lat, r1, r2, bearing, part }) => {
        const d = ((r1 + r2) * part) / 111_195;
        const lat2 = lat + d * Math.cos(bearing);
        const raw = lon + (d * Math.sin(bearing)) / Math.cos((lat * Math.PI) / 180);
        const a = place(lon, lat, r1);
        const b = place(raw > 180 ? raw - 360 : raw < -180 ? raw + 360 : raw, lat2, r2);
        fc.pre(distanceM(a, b) <= r1 + r2);
        const [ka, kb] = [placeKeys(a), placeKeys(b)];
        if (isWide(ka) || isWide(kb)) return;
        narrow++;
        expect(ka.some((k) => kb.includes(k))).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(narrow).toBeGreaterThan(500);
  });

  it('are few for what sensors and cameras say, and name the component', () => {
    const keys = placeKeys(place(122.97, 39.69, 5, '2102830102000001'));
    expect(keys).toContain('c:2102830102000001');
    expect(keys.length).toBeLessThanOrEqual(5);
    expect(placeKeys(place(122.97, 39.69, 10_000))).toEqual(['g:*']);
  });

  it('lock the neighbourhood and share the class; who knows no neighbourhood takes the class', () => {
    expect(joinLocks('2:0501', ['g:1:1'])).toEqual([
      { name: 'join:2:0501', mode: 'shared' },
      { name: 'join:2:0501:g:1:1', mode: 'exclusive' },
    ]);
    expect(joinLocks('2:0501', ['c:1', 'g:*'])).toEqual([{ name: 'join:2:0501', mode: 'exclusive' }]);
  });
});
