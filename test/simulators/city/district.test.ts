import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeCity } from '#cli/simulate/city.ts';
import {
  areaM2,
  createCellIndex,
  deviceKind,
  distanceM,
  distanceToRingM,
  localPlane,
  parseCellCode,
  parseComponentCode,
  siteMistakes,
} from '#grid/mod.ts';
import { cityFiles } from '#simulators/city/files.ts';
import { buildDistrict, type City, type CityPlan, siteOf } from '#simulators/city/mod.ts';
import { tempDir } from '../../support/temp.ts';

const RUNS = 10;
const options = fc
  .record({
    seed: fc.nat(2 ** 31),
    cells: fc.integer({ min: 12, max: 400 }),
    edges: fc.integer({ min: 1, max: 4 }),
    cameras: fc.nat(6),
  })
  // So many communities at least: an edge has whole ones.
  .filter(({ cells, edges }) => edges <= Math.max(1, Math.floor(Math.sqrt(cells) / 3)));
const districts = options.map((o) => ({ ...o, sensors: o.cells * 3 }));

/** Shoelace in degrees: exact where square metres depend on the latitude that they are taken at. */
function squareDegrees(ring: readonly (readonly [number, number])[]): number {
  const [originLon, originLat] = ring[0] as readonly [number, number];
  const at = (i: number) => ring.at(i % ring.length) as readonly [number, number];
  const cross = ring.map((_, i) => {
    const [[ax, ay], [bx, by]] = [at(i), at(i + 1)];
    return (ax - originLon) * (by - originLat) - (bx - originLon) * (ay - originLat);
  });
  return Math.abs(cross.reduce((sum, c) => sum + c, 0)) / 2;
}

const forAll = (check: (city: City, sensors: number) => void) =>
  fc.assert(
    fc.property(districts, (o) => check(buildDistrict(o), o.sensors)),
    { numRuns: RUNS },
  );

describe('a district, whatever its seed and size', () => {
  test('has cells that tile: inner corners are shared, areas add up to the outline, and every point lies in one', () => {
    forAll((city) => {
      const areas = city.cells.map((c) => areaM2(c.polygon));
      for (const area of areas) {
        expect(area).toBeGreaterThan(10_000);
        expect(area).toBeLessThan(22_000);
      }
      // Each side belongs to two cells or to the outline: what is left over, walked once around, is the outline.
      const sides = new Map<string, [number, number][]>();
      for (const { polygon } of city.cells)
        for (const [i, to] of polygon.entries()) {
          const from = polygon.at(i - 1) as [number, number];
          const back = `${to} ${from}`;
          if (!sides.delete(back)) sides.set(`${from} ${to}`, [from, to]);
        }
      const next = new Map([...sides.values()].map(([from, to]) => [String(from), to]));
      const outline: [number, number][] = [];
      const start = sides.values().next().value?.[0] as [number, number];
      for (let at = start; outline.length === 0 || String(at) !== String(start); at = next.get(String(at)) as [number, number])
        outline.push(at);
      expect(outline.length).toBe(sides.size);
      const cellsTogether = city.cells.reduce((sum, c) => sum + squareDegrees(c.polygon), 0);
      expect(cellsTogether / squareDegrees(outline)).toBeCloseTo(1, 9);
      const index = createCellIndex(city.cells);
      const plane = localPlane({ lon: start[0], lat: start[1] });
      for (const { code, polygon } of city.cells) {
        const corners = polygon.map(([lon, lat]) => plane.toLocal({ lon, lat }));
        const middle = { xM: corners.reduce((s, c) => s + c.xM, 0) / 4, yM: corners.reduce((s, c) => s + c.yM, 0) / 4 };
        expect(index.cellAt(plane.toPosition(middle))).toBe(code);
      }
    });
  });

  test('has valid codes: sequences run west to east, then north to south, in each community', () => {
    forAll((city) => {
      const middleOf = new Map(
        city.cells.map(({ code, polygon }) => [code, polygon.reduce(([x, y], [lon, lat]) => [x + lon / 4, y + lat / 4], [0, 0])]),
      );
      const codes = city.edges.flatMap((e) => e.communities.flatMap((c) => c.cells));
      expect(codes.toSorted()).toEqual(city.cells.map((c) => c.code).toSorted());
      expect(new Set(codes).size).toBe(codes.length);
      for (const { code, cells } of city.edges.flatMap((e) => e.communities)) {
        expect(cells).toEqual(cells.map((_, i) => code + String(i + 1).padStart(3, '0')));
        for (const [i, cell] of cells.entries()) {
          expect(parseCellCode(cell).ok).toBe(true);
          const [x, y] = middleOf.get(cell) as [number, number];
          const [nextX, nextY] = middleOf.get(cells[i + 1] ?? '') ?? [x + 1, y];
          // East of the one before, or in a row farther south.
          if (nextX < x) expect(nextY).toBeLessThan(y);
        }
      }
    });
  });

  test('has as many sensors as asked, on streets, each in a cell of its edge, with a component of its class and division', () => {
    forAll((city, sensors) => {
      const devices = city.edges.flatMap((e) => e.devices);
      expect(devices.length).toBe(sensors);
      expect(new Set(devices.map((d) => d.id)).size).toBe(sensors);
      expect(new Set(city.components.map((c) => c.code)).size).toBe(city.components.length);
      for (const edge of city.edges) {
        expect(edge.cells.length).toBeGreaterThan(0);
        const index = createCellIndex(edge.cells);
        for (const d of edge.devices) {
          expect(index.cellAt(d), d.id).not.toBeNull();
          expect(deviceKind(d.kind)?.componentClasses).toContain(d.component.slice(6, 10));
        }
        for (const { code } of edge.components) expect(parseComponentCode(code).ok, code).toBe(true);
        const members = new Map(edge.groups.map((g) => [g.id, 0]));
        for (const d of edge.devices)
          for (const group of [d.circuit, d.pressureZone])
            if (group !== undefined) members.set(group, (members.get(group) ?? 0) + 1);
        for (const d of edge.devices) expect((d.circuit ?? d.pressureZone) === undefined).toBe(d.kind === 'manhole_cover');
        expect([...members.keys()]).toEqual(edge.groups.map((g) => g.id));
      }
    });
  });

  test('has sites that an edge accepts', () => {
    forAll((city) => {
      for (const { id } of city.edges) {
        const calibration = { points: [] };
        const site = siteOf(city, id, {
          access: ({ pose }) => ({
            url: 'rtsp://127.0.0.1/x',
            username: 'u',
            password: 'p',
            calibration: { points: [...calibration.points, { x: 0, y: 0, lon: pose.lon, lat: pose.lat }] },
          }),
          confidenceMin: () => 0.5,
        });
        expect(siteMistakes({ ...site, cameras: [] })).toEqual([]);
      }
    });
  });
});

test('the district is one of 25 km2 with 1,652 unit grids; all its furniture has codes and lies in it', () => {
  const city = buildDistrict({ seed: 7, cells: 1652, edges: 8, sensors: 1652, cameras: 24 });
  expect(city.cells.length).toBe(1652);
  expect(city.cells.reduce((sum, c) => sum + areaM2(c.polygon), 0) / 1e6).toBeCloseTo(25.4, 1);
  expect(new Set(city.cells.map((c) => c.code.slice(6, 9))).size).toBe(16);
  expect(city.edges.map((e) => e.cameras.length)).toEqual([3, 3, 3, 3, 3, 3, 3, 3]);
  const files = new Map(cityFiles(city).map((f) => [f.name, f.text]));
  const rows = (files.get('components.csv') ?? '').trim().split('\n').slice(1);
  expect(rows.length).toBeGreaterThan(40_000);
  const polygons = new Map(city.cells.map((c) => [c.code, c.polygon]));
  const codes = new Set<string>();
  for (const row of rows) {
    const [code = '', , lon, lat, cell = ''] = row.split(',');
    codes.add(code);
    if (!parseComponentCode(code).ok) expect(row).toBe('a valid code');
    // Ends of roads may lie in the strip that corners cut off.
    if (!polygons.has(cell)) {
      const away = Math.min(...city.cells.map((c) => distanceToRingM({ lon: Number(lon), lat: Number(lat) }, c.polygon)));
      expect(away).toBeLessThan(10);
    }
  }
  expect(codes.size).toBe(rows.length);
  const [a, b] = city.edges.flatMap((e) => e.cameras);
  expect(distanceM(a?.pose as never, b?.pose as never)).toBeGreaterThan(100);
});

test('the same seed writes the same bytes, another seed others; secrets follow from the seed', async () => {
  const plan: CityPlan = {
    version: 1,
    district: {
      seed: 7,
      cells: 30,
      edges: 2,
      sensors: 40,
      cameras: 2,
      division: '110101',
      originLon: 116.38,
      originLat: 39.88,
    },
    profile: 'demo',
    host: '127.0.0.1',
    ports: { api: 2001, centreBroker: 2002, rtsp: 2003, edgeBrokers: [2004, 2005] },
  };
  const write = async (seed: number) => {
    const dir = join(await tempDir(), 'city');
    await writeCity(dir, { ...plan, district: { ...plan.district, seed } });
    const names = ['cells.geojson', 'components.csv', 'edge-01.site.yaml', 'edge-02.yaml', 'ingest.yaml', 'simulate.yaml'];
    return Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')));
  };
  const [first, again, other] = [await write(7), await write(7), await write(8)];
  expect(again).toEqual(first);
  for (const [i, text] of other.entries()) expect(text).not.toBe(first[i]);
  await expect(writeCity('/nowhere', { ...plan, district: { ...plan.district, edges: 9 } })).rejects.toMatchObject({
    code: 'GEWU_CONFIG_INVALID',
  });
});
