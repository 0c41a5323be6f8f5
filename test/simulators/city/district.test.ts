import { readdir, readFile } from 'node:fs/promises';
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
import { DeviceTable } from '#simulators/world/mod.ts';
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

type Local = { xM: number; yM: number };

/** The features of a collection that has one a line. */
function lines<T>(geoJson: string): T[] {
  return (JSON.parse(geoJson) as { features: T[] }).features;
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
        // Each is in one group, of its kind: lamps on a circuit, hydrants in a zone, covers in the basin of their community.
        const kinds = { streetlight: 'circuit', fire_hydrant: 'pressure_zone', manhole_cover: 'drainage_basin' } as const;
        const groups = new Map(edge.groups.map((g) => [g.id, { kind: g.kind, members: 0 }]));
        for (const d of edge.devices) {
          const own = [d.circuit, d.pressureZone, d.drainageBasin].filter((id) => id !== undefined);
          expect(own.map((id) => groups.get(id)?.kind)).toEqual([kinds[d.kind as keyof typeof kinds]]);
          const group = groups.get(own[0] ?? '');
          if (group !== undefined) group.members++;
          if (d.kind === 'manhole_cover') expect(own[0]).toBe(`basin-${index.cellAt(d)?.slice(6, 12)}`);
        }
        for (const [id, { members }] of groups) expect(members, id).toBeGreaterThan(0);
      }
    });
  });

  test('has its sensors along its roads', () => {
    forAll((city) => {
      const files = new Map(cityFiles(city).map((f) => [f.name, f.text]));
      const roads = lines<{ geometry: { coordinates: [number, number][] } }>(files.get('roads.geojson') ?? '').map(
        ({ geometry }) => geometry.coordinates,
      );
      expect(roads.length).toBeGreaterThan(0);
      const offRoadM = (position: { lon: number; lat: number }) => {
        const plane = localPlane(position);
        return Math.min(
          ...roads.map(([from, to]) => {
            const [a, b] = [from, to].map((c) => plane.toLocal({ lon: c?.[0] ?? 0, lat: c?.[1] ?? 0 })) as [Local, Local];
            const [dx, dy] = [b.xM - a.xM, b.yM - a.yM];
            const share = Math.min(1, Math.max(0, -(a.xM * dx + a.yM * dy) / (dx * dx + dy * dy)));
            return Math.hypot(a.xM + share * dx, a.yM + share * dy);
          }),
        );
      };
      const devices = city.edges.flatMap((e) => e.devices);
      for (const d of devices.filter((_, n) => n % 5 === 0))
        expect(offRoadM(d), d.id).toBeLessThan(d.kind === 'manhole_cover' ? 3.5 : 7.5);
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

test('tables and maps join: basins by their group, cameras with their pose and the ground before it', () => {
  const city = buildDistrict({ seed: 7, cells: 60, edges: 2, sensors: 300, cameras: 4 });
  const files = new Map(cityFiles(city).map((f) => [f.name, f.text]));
  const table = (name: string) => {
    const [head = [], ...rows] = (files.get(name) ?? '')
      .trim()
      .split('\n')
      .map((row) => row.split(','));
    return rows.map((row) => Object.fromEntries(head.map((key, n) => [key, row[n] ?? ''])));
  };
  const members = new Map(table('groups.csv').map((g) => [g.group, { kind: g.kind, members: Number(g.members) }]));
  const devices = table('devices.csv');
  for (const [column, kind] of [
    ['circuit', 'circuit'],
    ['pressure_zone', 'pressure_zone'],
    ['basin', 'drainage_basin'],
  ] as const) {
    const counts = Map.groupBy(
      devices.filter((d) => d[column] !== ''),
      (d) => d[column],
    );
    expect(counts.size).toBeGreaterThan(0);
    for (const [id, all] of counts) expect(members.get(id)).toEqual({ kind, members: all.length });
  }
  type Camera = { id: string; properties: Record<string, unknown>; geometry: { type: string; coordinates: never } };
  const shown = lines<Camera>(files.get('cameras.geojson') ?? '');
  const cameras = city.edges.flatMap((e) => e.cameras);
  expect(shown.map((f) => f.id)).toEqual(cameras.flatMap((c) => [c.id, `${c.id}-view`]));
  for (const { id, edgeId, component, pose } of cameras) {
    const { lon, lat, ...how } = pose;
    const [point, view] = [id, `${id}-view`].map((name) => shown.find((f) => f.id === name));
    expect(point).toMatchObject({
      properties: { edge: edgeId, component, ...how },
      geometry: { type: 'Point', coordinates: [lon, lat] },
    });
    expect(view).toMatchObject({ properties: { camera: id }, geometry: { type: 'Polygon' } });
    const ring = (view?.geometry.coordinates as [number, number][][] | undefined)?.[0] ?? [];
    expect(ring.at(-1)).toEqual(ring[0]);
    // It watches what lies before it, not farther than a thing can be told.
    const plane = localPlane({ lon, lat });
    const heading = (pose.headingDeg * Math.PI) / 180;
    for (const [x, y] of ring) {
      const { xM, yM } = plane.toLocal({ lon: x, lat: y });
      expect(xM * Math.sin(heading) + yM * Math.cos(heading)).toBeGreaterThan(0);
      expect(Math.hypot(xM, yM)).toBeLessThan(40);
    }
  }
});

test('a hundred thousand devices are described in nine megabytes', () => {
  const beganMs = process.cpuUsage().user / 1000;
  const city = buildDistrict({ seed: 7, cells: 10_000, edges: 50, sensors: 100_000, cameras: 0 });
  const table = new DeviceTable(city);
  console.log(`${Math.round(process.cpuUsage().user / 1000 - beganMs)} ms of CPU for 100,000 devices`);
  expect(table.count).toBe(100_000);
  expect(table.bytes).toBeLessThan(9_500_000);
  expect(table.view(99_999)).toMatchObject({ id: city.edges.at(-1)?.devices.at(-1)?.id });
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
    const names = (await readdir(dir)).sort();
    return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(dir, name), 'utf8')] as const)));
  };
  const [first, again, other] = [await write(7), await write(7), await write(8)];
  expect(first.size).toBe(14);
  expect(again).toEqual(first);
  // Only how many unit grids a community has follows from the size alone.
  const same = [...other].flatMap(([name, text]) => (text === first.get(name) ? [name] : []));
  expect(same).toEqual(['communities.csv']);
  await expect(writeCity('/nowhere', { ...plan, district: { ...plan.district, edges: 9 } })).rejects.toMatchObject({
    code: 'GEWU_CONFIG_INVALID',
  });
});
