import { expect, test } from 'vitest';
import { contactPixel, groundOf, place } from '#edge/vision/mod.ts';
import { fitGround, inForce, inPolygon, wallClock } from '#grid/mod.ts';
import { calibrationPoints, createStreetRenderer, toLocal, toWgs84 } from '#simulators/cameras/mod.ts';
import type { CameraPose } from '#simulators/cameras/scene.ts';
import { ORIGIN, POSE, STREET } from './street.ts';

function pixelOf(pose: CameraPose, eastM: number, northM: number): [number, number] {
  const [lon, lat] = toWgs84(eastM, northM, ORIGIN.lon, ORIGIN.lat);
  const at = createStreetRenderer(STREET, pose).project(lon, lat);
  if (at === null) throw new Error('behind the camera');
  return [at.xPx / pose.widthPx, at.yPx / pose.heightPx];
}

test('a ground point 30 m away is found within 0.1 m from exact calibration points', () => {
  const ground = groundOf({
    id: 'cam-01',
    lon: POSE.lon,
    lat: POSE.lat,
    calibration: { points: calibrationPoints(POSE, createStreetRenderer(STREET, POSE)) },
  });
  const [ex, ey] = toLocal(POSE.lon, POSE.lat, ORIGIN.lon, ORIGIN.lat);
  for (const [east, north] of [
    [0, 8],
    [3, 15],
    [-4, 22],
    [5, 30],
    [0, 30],
  ] as const) {
    const point = ground.at(...pixelOf(POSE, ex + east, ey + north));
    expect(point).not.toBeNull();
    expect(Math.hypot((point?.[0] ?? 0) - east, (point?.[1] ?? 0) - north)).toBeLessThan(0.1);
  }
});

test('noisy points are fitted in the least squares sense: the errors average out', () => {
  const exact = calibrationPoints(POSE, createStreetRenderer(STREET, POSE));
  const points = exact.map((p, n) => ({
    ...p,
    x: p.x + (n % 2 === 0 ? 0.001 : -0.001),
    y: p.y + (n % 3 === 0 ? 0.001 : -0.001),
  }));
  const ground = groundOf({ id: 'cam-01', lon: POSE.lon, lat: POSE.lat, calibration: { points } });
  const [ex, ey] = toLocal(POSE.lon, POSE.lat, ORIGIN.lon, ORIGIN.lat);
  const point = ground.at(...pixelOf(POSE, ex, ey + 15));
  expect(Math.hypot(point?.[0] ?? 9, (point?.[1] ?? 9) - 15)).toBeLessThan(0.5);
});

test('the sky is not on the ground, and positions survive the way there and back', () => {
  const ground = groundOf({
    id: 'cam-01',
    lon: POSE.lon,
    lat: POSE.lat,
    calibration: { points: calibrationPoints(POSE, createStreetRenderer(STREET, POSE)) },
  });
  const level = { ...POSE, pitchDeg: 8 };
  const shallow = groundOf({
    id: 'c',
    lon: level.lon,
    lat: level.lat,
    calibration: { points: calibrationPoints(level, createStreetRenderer(STREET, level)) },
  });
  expect(shallow.at(0.5, 0.01)).toBeNull();
  const back = ground.toPoint(ground.toPosition([12.5, -7.25]));
  expect(back[0]).toBeCloseTo(12.5, 6);
  expect(back[1]).toBeCloseTo(-7.25, 6);
});

test('points in a line, too few of them and one that is far off are refused', () => {
  const exact = calibrationPoints(POSE, createStreetRenderer(STREET, POSE));
  const refused = (points: typeof exact) =>
    expect(() => groundOf({ id: 'c', lon: POSE.lon, lat: POSE.lat, calibration: { points } })).toThrow(/camera c/);
  refused(exact.slice(0, 3));
  const [a, b] = [exact[0], exact[1]] as [(typeof exact)[0], (typeof exact)[0]];
  const between = (t: number) => ({
    x: a.x + t * (b.x - a.x),
    y: a.y + t * (b.y - a.y),
    lon: a.lon + t * (b.lon - a.lon),
    lat: a.lat + t * (b.lat - a.lat),
  });
  refused([0, 0.3, 0.6, 1, 0.8].map(between));
  refused(exact.map((p, n) => (n === 2 ? { ...p, lat: p.lat + 0.001 } : p)));
});

test('what is wrong with calibration points is said with what to do', () => {
  const exact = calibrationPoints(POSE, createStreetRenderer(STREET, POSE));
  const faultOf = (points: typeof exact) => {
    const fit = fitGround({ lon: POSE.lon, lat: POSE.lat, calibration: { points } });
    return fit.ok ? null : { fault: fit.fault, point: fit.point };
  };
  expect(faultOf(exact)).toBeNull();
  // Pixels of two points taken for each other, of six and of four.
  const swapped = (a: number, b: number, points = exact) =>
    points.map((p, n) => {
      const other = points[n === a ? b : n === b ? a : n] as (typeof exact)[0];
      return { ...p, x: other.x, y: other.y };
    });
  expect(faultOf(swapped(0, 1))?.fault).toMatch(/swapped/);
  expect(faultOf(swapped(0, 1, exact.slice(0, 4)))?.fault).toMatch(/swapped|point/);
  const mirrored = exact.map((p) => ({ ...p, x: 1 - p.x }));
  expect(faultOf(mirrored)?.fault).toMatch(/mirror image/);
  // One that is 111 m off is named, though it drags the fit of all with it.
  const moved = exact.map((p, n) => (n === 4 ? { ...p, lat: p.lat + 0.001 } : p));
  expect(faultOf(moved)).toMatchObject({
    point: 4,
    fault: expect.stringMatching(/^point 5 is 1\d\d\.\d m off where the others give: measure it again$/),
  });
  expect(faultOf(exact.map((p) => exact[0] ?? p))?.fault).toMatch(/no three in a line/);
});

test('residuals say how well the points were measured', () => {
  const points = calibrationPoints(POSE, createStreetRenderer(STREET, POSE)).map((p, n) =>
    n === 2 ? { ...p, lat: p.lat + 9e-6 } : p,
  );
  const fit = fitGround({ lon: POSE.lon, lat: POSE.lat, calibration: { points } });
  expect(fit.ok).toBe(true);
  // One of six is a metre off: the fit shares it out, and none of the others is blamed for more.
  expect(Math.max(...fit.residualsM)).toBeGreaterThan(0.1);
  expect(Math.max(...fit.residualsM)).toBeLessThan(1);
});

test('pixels and ground points go into each other', () => {
  const points = calibrationPoints(POSE, createStreetRenderer(STREET, POSE));
  const ground = groundOf({ id: 'c', lon: POSE.lon, lat: POSE.lat, calibration: { points } });
  for (const [x, y] of [
    [0.2, 0.5],
    [0.8, 0.9],
    [0.5, 0.3],
  ] as const) {
    const back = ground.pixelOf(ground.at(x, y) as readonly [number, number]);
    expect(back?.[0]).toBeCloseTo(x, 9);
    expect(back?.[1]).toBeCloseTo(y, 9);
  }
  // Behind the camera.
  expect(ground.pixelOf([0, -20])).toBeNull();
});

test('the radius of a car that the picture cuts is larger', () => {
  const points = calibrationPoints(POSE, createStreetRenderer(STREET, POSE));
  const ground = groundOf({ id: 'c', lon: POSE.lon, lat: POSE.lat, calibration: { points } });
  const radius = (right: number, name: string) =>
    place(ground, name, [0.7, 0.5, right, 0.8], [1 / 320, 1 / 180])?.errorRadiusM ?? 0;
  expect(radius(1, 'vehicle') - radius(0.98, 'vehicle')).toBeGreaterThan(1.4);
  expect(radius(1, 'stall') - radius(0.98, 'stall')).toBeLessThan(0.1);
});

test('a van on the pavement that is seen askew stands there, though the lower edge of its box has its middle on the road', () => {
  const renderer = createStreetRenderer(STREET, POSE);
  const ground = groundOf({ id: 'c', lon: POSE.lon, lat: POSE.lat, calibration: { points: calibrationPoints(POSE, renderer) } });
  const kerbM = STREET.roadWidthM / 2 - toLocal(POSE.lon, POSE.lat, ORIGIN.lon, ORIGIN.lat)[0];
  const light = { daylight: 1, rain: 0, sunHeadingDeg: 0, shadow: 0 };
  const van = { id: 'van', kind: 'vehicle', headingDeg: 0, lengthM: 4.9, widthM: 1.9, heightM: 2.1, seed: 1, grown: 1 } as const;
  const onRoad: boolean[] = [];
  for (const yM of [0, 1, 2, 4, 8]) {
    const objects = [{ ...van, xM: STREET.roadWidthM / 2 + 2.3, yM }];
    const [left, top, right, bottom] = renderer.render({ street: STREET, light, objects, ts: 0 }).truth[0]?.box ?? [0, 0, 0, 0];
    const box = [left / POSE.widthPx, top / POSE.heightPx, right / POSE.widthPx, bottom / POSE.heightPx] as const;
    const foot = place(ground, 'vehicle', box, [1 / 512, 1 / 288])?.foot ?? [0, 0];
    expect(ground.at(...foot)?.[0], `van at ${yM} m`).toBeGreaterThan(kerbM + 0.5);
    onRoad.push((ground.at(...contactPixel('vehicle', box))?.[0] ?? 0) < kerbM + 0.4);
  }
  expect(onRoad).toContain(true);
});

test('a tall thing at the side of the picture, where uprights lean, is seen in the direction in which it stands', () => {
  const renderer = createStreetRenderer(STREET, POSE);
  const ground = groundOf({ id: 'c', lon: POSE.lon, lat: POSE.lat, calibration: { points: calibrationPoints(POSE, renderer) } });
  const light = { daylight: 1, rain: 0, sunHeadingDeg: 0, shadow: 0 };
  const stall = { id: 's', kind: 'stall', headingDeg: 0, lengthM: 2.2, widthM: 1.3, heightM: 2.2, seed: 1, grown: 1 } as const;
  const [eyeXM, eyeYM] = toLocal(POSE.lon, POSE.lat, ORIGIN.lon, ORIGIN.lat);
  for (const [east, north] of [
    [-6, 10],
    [-5, 14],
    [5, 11],
    [6, 14],
  ] as const) {
    const objects = [{ ...stall, xM: eyeXM + east, yM: eyeYM + north }];
    const [left, top, right, bottom] = renderer.render({ street: STREET, light, objects, ts: 0 }).truth[0]?.box ?? [0, 0, 0, 0];
    const box = [left / POSE.widthPx, top / POSE.heightPx, right / POSE.widthPx, bottom / POSE.heightPx] as const;
    /** Metres that a place lies beside the line from the camera to the thing. */
    const besideM = ([e, n]: readonly [number, number]): number => Math.abs(e * north - n * east) / Math.hypot(east, north);
    expect(besideM(place(ground, 'stall', box, [1 / 512, 1 / 288])?.point ?? [99, 0]), `${east}, ${north}`).toBeLessThan(0.3);
    expect(besideM(ground.at(...contactPixel('stall', box)) ?? [0, 0]), `${east}, ${north}`).toBeGreaterThan(0.35);
  }
});

test('a standing thing is placed behind its near edge, a flat one where it is seen; far away the error radius grows', () => {
  const ground = groundOf({
    id: 'cam-01',
    lon: POSE.lon,
    lat: POSE.lat,
    calibration: { points: calibrationPoints(POSE, createStreetRenderer(STREET, POSE)) },
  });
  const pixel = [1 / 320, 1 / 180] as const;
  const at = (y: number) => [0.45, y - 0.1, 0.55, y] as const;
  const edge = ground.at(0.5, 0.7) as [number, number];
  const stall = place(ground, 'stall', at(0.7), pixel);
  expect(Math.hypot(...(stall?.point ?? [0, 0])) - Math.hypot(...edge)).toBeCloseTo(1.2, 6);
  const flat = place(ground, 'ponding', [0.45, 0.65, 0.55, 0.75], pixel);
  expect(flat?.point[1]).toBeCloseTo(edge[1], 6);
  const [near, far] = [place(ground, 'stall', at(0.9), pixel), place(ground, 'stall', at(0.2), pixel)];
  expect(near?.errorRadiusM).toBeGreaterThan(0.5);
  expect(far?.errorRadiusM).toBeGreaterThan(1.5 * (near?.errorRadiusM ?? 9));
});

test('windows are read in the time zone of the site and run over midnight', () => {
  const wall = wallClock('Asia/Shanghai');
  const at = (utc: string) => wall(Date.parse(utc));
  // Monday 2026-11-23 22:30 in Shanghai.
  expect(at('2026-11-23T14:30:00Z')).toEqual({ date: '2026-11-23', yesterday: '2026-11-22', day: 1, minute: 22 * 60 + 30 });
  const night = [{ from: '22:00', to: '06:00' }];
  expect(inForce({ schedule: night }, at('2026-11-23T14:30:00Z'))).toBe(true);
  expect(inForce({ schedule: night }, at('2026-11-23T21:59:00Z'))).toBe(true);
  expect(inForce({ schedule: night }, at('2026-11-23T22:00:00Z'))).toBe(false);
  expect(inForce({ schedule: night }, at('2026-11-23T13:59:00Z'))).toBe(false);
  expect(inForce({}, at('2026-11-23T13:59:00Z'))).toBe(true);
  // Friday's night belongs to Friday, also after midnight.
  const friday = [{ days: [5], from: '22:00', to: '06:00' }];
  expect(inForce({ schedule: friday }, at('2026-11-27T20:00:00Z'))).toBe(true);
  expect(inForce({ schedule: friday }, at('2026-11-26T20:00:00Z'))).toBe(false);
  const day = [{ days: [7], from: '00:00', to: '24:00' }];
  expect(inForce({ schedule: day }, at('2026-11-22T15:59:00Z'))).toBe(true);
  expect(inForce({ schedule: day }, at('2026-11-22T16:00:00Z'))).toBe(false);
});

test('a night market that has its permit is let alone on its dates, over midnight, and nowhere else', () => {
  const wall = wallClock('Asia/Shanghai');
  const market = { permitted: [{ dates: ['2027-02-16', '2027-02-17'], from: '18:00', to: '01:00' }] };
  const standsAt = (local: string) => inForce(market, wall(Date.parse(`${local}+08:00`)));
  expect(standsAt('2027-02-15T20:00')).toBe(true);
  expect(standsAt('2027-02-16T17:59')).toBe(true);
  expect(standsAt('2027-02-16T18:00')).toBe(false);
  expect(standsAt('2027-02-18T00:59')).toBe(false);
  expect(standsAt('2027-02-18T01:00')).toBe(true);
  expect(standsAt('2027-02-18T20:00')).toBe(true);
  // What is permitted goes before what is in force.
  const both = { schedule: [{ from: '00:00', to: '24:00' }], ...market };
  expect(inForce(both, wall(Date.parse('2027-02-16T20:00+08:00')))).toBe(false);
  // A holiday in another year's first days follows the last of the year before.
  const newYear = { schedule: [{ dates: ['2026-12-31'], from: '22:00', to: '02:00' }] };
  expect(inForce(newYear, wall(Date.parse('2027-01-01T01:00+08:00')))).toBe(true);
  expect(inForce(newYear, wall(Date.parse('2027-01-01T23:00+08:00')))).toBe(false);
});

test('a point is in a polygon or not, also in a notch', () => {
  const notched = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0.5, 0.4],
    [0, 1],
  ] as const;
  expect(inPolygon(0.5, 0.2, notched)).toBe(true);
  expect(inPolygon(0.5, 0.9, notched)).toBe(false);
  expect(inPolygon(0.1, 0.7, notched)).toBe(true);
});
