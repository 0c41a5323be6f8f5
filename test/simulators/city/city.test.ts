import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import {
  areaM2,
  componentClass,
  createCellIndex,
  deviceKind,
  distanceM,
  inPolygon,
  localPlane,
  parseCellCode,
  parseComponentCode,
  Site,
  siteMistakes,
} from '#grid/mod.ts';
import { calibrationPoints, createStreetRenderer, type IncidentClass } from '#simulators/cameras/mod.ts';
import { buildDemoCity, type City, siteOf, zonesOf } from '#simulators/city/mod.ts';

const SEEDS = [1, 2, 3, 7, 42];
const cameras = (city: City) => city.edges.flatMap((e) => e.cameras);
const devices = (city: City) => city.edges.flatMap((e) => e.devices);

function siteWithCameras(city: City, edgeId: string): Site {
  return siteOf(city, edgeId, {
    access: ({ id, pose, street }) => ({
      url: `rtsp://127.0.0.1:8554/${id}`,
      username: 'gewu',
      password: 'a-password',
      calibration: { points: calibrationPoints(pose, createStreetRenderer(street, pose)) },
    }),
    confidenceMin: () => 0.5,
  });
}

test('is the same for the same seed, and another for another', () => {
  expect(buildDemoCity({ seed: 5 })).toEqual(buildDemoCity({ seed: 5 }));
  expect(buildDemoCity({ seed: 5 })).not.toEqual(buildDemoCity({ seed: 6 }));
});

test.each(SEEDS)('seed %i: has what the demo promises', (seed) => {
  const city = buildDemoCity({ seed });
  expect([city.edges.length, city.cells.length, devices(city).length, cameras(city).length]).toEqual([2, 12, 60, 4]);
  const kinds = Object.groupBy(devices(city), (d) => d.kind);
  expect(Object.entries(kinds).map(([kind, list]) => [kind, list?.length])).toEqual([
    ['manhole_cover', 20],
    ['streetlight', 20],
    ['fire_hydrant', 20],
  ]);
  expect(city.edges.map((e) => [e.cells.length, e.devices.length, e.cameras.length])).toEqual([
    [6, 30, 2],
    [6, 30, 2],
  ]);
  expect(new Set(devices(city).map((d) => d.secret)).size).toBe(60);
});

describe.each(SEEDS)('seed %i', (seed) => {
  const city = buildDemoCity({ seed });

  test('codes are valid and unique, and each thing lies in a cell of its own edge and division', () => {
    const codes = [...city.cells.map((c) => c.code), ...city.components.map((c) => c.code)];
    expect(new Set(codes).size).toBe(codes.length);
    for (const { code } of city.cells) expect(parseCellCode(code).ok).toBe(true);
    for (const { id, cells, components, devices } of city.edges) {
      const index = createCellIndex(cells);
      for (const c of components) {
        expect(parseComponentCode(c.code).ok).toBe(true);
        expect(componentClass(c.code.slice(6, 10))).toBeDefined();
        expect(index.cellAt(c)?.slice(0, 6), `${c.code} of ${id}`).toBe(c.code.slice(0, 6));
      }
      for (const d of devices) {
        expect(deviceKind(d.kind)?.componentClasses).toContain(d.component.slice(6, 10));
        expect(components).toContainEqual({ code: d.component, lon: d.lon, lat: d.lat });
      }
    }
  });

  test('cells tile: their areas add up to the outline, and every point of it lies in exactly one', () => {
    const total = city.cells.reduce((sum, c) => sum + areaM2(c.polygon), 0);
    for (const c of city.cells) expect(areaM2(c.polygon)).toBeGreaterThan(8_000);
    for (const c of city.cells) expect(areaM2(c.polygon)).toBeLessThan(12_000);
    const corners = city.cells.flatMap((c) => c.polygon);
    const count = (p: [number, number]) => corners.filter((q) => q[0] === p[0] && q[1] === p[1]).length;
    // 3 x 7 corners; those inside are shared by four cells.
    expect(new Set(corners.map(String)).size).toBe(21);
    expect(corners.filter((p) => count(p) === 4).length).toBe(5 * 4);
    const plane = localPlane({ lon: 116.42, lat: 39.92 });
    const box = corners.map(([lon, lat]) => plane.toLocal({ lon, lat }));
    const [minX, maxX] = [Math.min(...box.map((p) => p.xM)), Math.max(...box.map((p) => p.xM))];
    const [minY, maxY] = [Math.min(...box.map((p) => p.yM)), Math.max(...box.map((p) => p.yM))];
    let inside = 0;
    const steps = 80;
    for (let i = 0; i < steps; i++)
      for (let j = 0; j < steps; j++) {
        const p = plane.toPosition({
          xM: minX + ((i + 0.5) / steps) * (maxX - minX),
          yM: minY + ((j + 0.5) / steps) * (maxY - minY),
        });
        const hits = city.cells.filter((c) => inPolygon(p.lon, p.lat, c.polygon)).length;
        expect(hits).toBeLessThanOrEqual(1);
        inside += hits;
      }
    const sampledM2 = (inside / steps ** 2) * (maxX - minX) * (maxY - minY);
    expect(Math.abs(sampledM2 / total - 1)).toBeLessThan(0.02);
  });

  test('the sequence of a community runs west to east, then north to south', () => {
    for (const { cells } of city.edges) {
      const middles = cells.map((c) =>
        c.polygon.reduce((m, [lon, lat]) => [m[0] + lon / 4, m[1] + lat / 4], [0, 0] as [number, number]),
      );
      expect(cells.map((c) => Number(c.code.slice(12)))).toEqual([1, 2, 3, 4, 5, 6]);
      for (const i of [1, 2, 4, 5]) expect(middles[i]?.[0]).toBeGreaterThan(middles[i - 1]?.[0] as number);
      for (const i of [0, 1, 2]) expect(middles[i]?.[1]).toBeGreaterThan(middles[i + 3]?.[1] as number);
    }
  });

  test('what two cameras see is more than 60 m apart, and no cover with a sensor lies near a watched one', () => {
    const [all, covers] = [cameras(city), devices(city).filter((d) => d.kind === 'manhole_cover')];
    for (const a of all) {
      expect(a.covers.length).toBeGreaterThan(0);
      for (const b of all) {
        if (a === b) continue;
        for (const c of a.covers) for (const d of b.covers) expect(distanceM(c, d)).toBeGreaterThan(60);
      }
      for (const c of a.covers) for (const d of covers) expect(distanceM(c, d)).toBeGreaterThan(15);
    }
  });

  test('each edge gets a site that the edge itself accepts', () => {
    for (const { id } of city.edges) {
      const site = siteWithCameras(city, id);
      expect(Value.Check(Site, site)).toBe(true);
      expect(siteMistakes(site)).toEqual([]);
    }
  });
});

describe('zones', () => {
  const camera = cameras(buildDemoCity({ seed: 1 }))[0] as NonNullable<ReturnType<typeof cameras>[number]>;
  const [street, parking] = zonesOf(camera, (c: IncidentClass) => (c === 'vehicle' ? 0.7 : 0.4));
  const renderer = createStreetRenderer(camera.street, camera.pose);
  const inZone = (zone: typeof street, lon: number, lat: number) => {
    const at = renderer.project(lon, lat);
    return at !== null && inPolygon(at.xPx / 640, at.yPx / 360, zone?.polygon ?? []);
  };

  test('have a rule for each class but people, with the catalogue times and the given confidence', () => {
    const rules = [...(street?.rules ?? []), ...(parking?.rules ?? [])];
    expect(rules.map((r) => [r.detects, r.raises, r.confidenceMin])).toEqual([
      ['stall', { event: '0501' }, 0.4],
      ['garbage', { event: '0102' }, 0.4],
      ['ponding', { event: '0406' }, 0.4],
      ['open_manhole', { fault: 'cover_open' }, 0.4],
      ['vehicle', { event: '0505' }, 0.7],
    ]);
    for (const r of rules) expect([180, 300]).toContain(r.dwellS);
  });

  test('reach the ground up to 24 m, and only the road where parking is meant', () => {
    const plane = localPlane({ lon: camera.pose.lon, lat: camera.pose.lat });
    const heading = (camera.street.roadHeadingDeg * Math.PI) / 180;
    /** From the lens along its own view: metres ahead. */
    const ahead = (m: number) => {
      const h = (camera.pose.headingDeg * Math.PI) / 180;
      return plane.toPosition({ xM: m * Math.sin(h), yM: m * Math.cos(h) });
    };
    expect([8, 20, 23, 25, 45].map((m) => inZone(street, ahead(m).lon, ahead(m).lat))).toEqual([true, true, true, false, false]);
    const origin = localPlane({ lon: camera.street.originLon, lat: camera.street.originLat });
    const at = (alongM: number, acrossM: number) => {
      const a = camera.looks * alongM;
      return origin.toPosition({
        xM: a * Math.sin(heading) + acrossM * Math.cos(heading),
        yM: a * Math.cos(heading) - acrossM * Math.sin(heading),
      });
    };
    const across = [-7, -5.9, -4, 0, 4].map((v) => at(15, v));
    const half = camera.street.roadWidthM / 2;
    expect(across.map((p) => inZone(parking, p.lon, p.lat))).toEqual([false, 5.9 < half + 0.3, true, true, true]);
    expect(across.map((p) => inZone(street, p.lon, p.lat))).toEqual([true, true, true, true, true]);
  });
});

test('other sizes fit as well, and what does not fit is refused', () => {
  const city = buildDemoCity({
    seed: 4,
    edges: 3,
    cells: 18,
    sensors: 100,
    cameras: 7,
    division: '210283',
    originLon: 122.9,
    originLat: 39.7,
  });
  expect(city.edges.map((e) => [e.cells.length, e.devices.length, e.cameras.length])).toEqual([
    [6, 34, 3],
    [6, 33, 2],
    [6, 33, 2],
  ]);
  for (const { id } of city.edges) expect(siteMistakes(siteWithCameras(city, id))).toEqual([]);
  expect(() => buildDemoCity({ seed: 1, cells: 11 })).toThrow('even number');
  expect(() => buildDemoCity({ seed: 1, edges: 7, cells: 12 })).toThrow('even number');
  expect(() => buildDemoCity({ seed: 1, cameras: 13 })).toThrow('one a cell');
  expect(() => buildDemoCity({ seed: 1, division: '990101' })).toThrow('division');
});
