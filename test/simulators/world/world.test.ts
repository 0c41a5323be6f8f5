import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceKind, validatePayload } from '#grid/mod.ts';
import { buildDistrict } from '#simulators/city/mod.ts';
import { DeviceTable, rainAt, Storage, World, type WorldOptions } from '#simulators/world/mod.ts';
import { NORMAL, onSample } from '../../../edge/rules/mod.ts';

const city = buildDistrict({ seed: 3, cells: 60, edges: 2, sensors: 600, cameras: 0 });
const table = new DeviceTable(city);
const all = Array.from({ length: table.count }, (_, i) => i);
const of = (kind: string) => all.filter((i) => table.kind(i) === kind);
const worldOf = (over: Partial<WorldOptions> = {}) =>
  new World({ table, seed: 3, startHour: 17, showers: [], clouds: 0.2, temperatureC: 18, crowd: 1, incidents: [], ...over });

/** Its battery gives so little by now that frost may empty it. */
const isWorn = (i: number): boolean => (worldOf().surroundings(i, 0).ageDays ?? 0) > 1_950;

test('the table gives back what the city said, in fewer than a hundred bytes a device', () => {
  const devices = city.edges.flatMap((e) => e.devices.map((d) => ({ ...d, edge: e.id })));
  for (const [i, { id, kind, secret, lon, lat, component, edge, circuit, pressureZone }] of devices.entries()) {
    const view = table.view(i);
    expect(view).toMatchObject({ id, kind, secret, lon, lat, component });
    expect(table.edges[view.edge]).toBe(edge);
    expect(table.circuits[table.circuit[i] as number]).toBe(circuit);
    expect(table.zones[table.zone[i] as number]).toBe(pressureZone);
    expect(view.cell.slice(0, 12)).toBe(table.basins[table.basin[i] as number]);
  }
  expect(table.bytes / table.count).toBeLessThan(100);
});

test('devices whose names, secrets and codes follow no pattern are given back as they are', () => {
  const [first] = city.edges;
  const odd = first?.devices
    .slice(0, 3)
    .map((d, i) => ({ ...d, id: `Lid_${i}`, secret: `not hex ${i}`, component: `3301${d.component.slice(4)}` }));
  const named = new DeviceTable({ ...city, edges: city.edges.map((e) => (e === first ? { ...e, devices: odd ?? [] } : e)) });
  for (const [i, { id, secret, component }] of (odd ?? []).entries()) {
    expect(named.id(i)).toBe(id);
    expect(named.view(i)).toMatchObject({ id, secret, component });
  }
});

test('a world says the same whatever was asked before', () => {
  const [a, b] = [worldOf(), worldOf()];
  const hours = [0.5, 3, 1.25];
  const told = hours.map((h) => all.slice(0, 50).map((i) => a.sample(i, h)));
  for (const [n, h] of [...hours.entries()].reverse())
    for (const i of all.slice(0, 50).reverse()) expect(b.sample(i, h)).toEqual(told[n]?.[i]);
});

describe('without incidents', () => {
  test('no sample is implausible or breaks a rule, at any hour, in heat, frost and crowds', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 23.9, noNaN: true }),
        fc.integer({ min: -8, max: 38 }),
        fc.double({ min: 0.2, max: 3, noNaN: true }),
        (startHour, temperatureC, crowd) => {
          const world = worldOf({ startHour, temperatureC, crowd });
          // What frost does to the oldest batteries has a test of its own.
          for (const i of temperatureC < 0 ? all.filter((i) => !isWorn(i)) : all) {
            const kind = deviceKind(table.kind(i));
            if (kind === undefined) throw new Error(table.kind(i));
            const fields = world.sample(i, 1.5);
            const checked = validatePayload(kind, fields);
            if (!checked.ok || checked.value.implausible.length > 0) expect(checked).toEqual('a plausible sample');
            for (const rule of kind.rules) {
              const eager = { ...rule, confirm: { forS: 0, samples: 1 } };
              if (onSample(eager, NORMAL, fields, 0).state.phase !== 'normal')
                expect(fields).toEqual(`none that breaks ${rule.id}`);
            }
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  test('dusk lights the lamps, circuit by circuit, and dawn puts them out', () => {
    const world = worldOf({ startHour: 12 });
    const lit = (hour: number) => of('streetlight').filter((i) => world.sample(i, hour).commanded_on === true).length;
    const lamps = of('streetlight').length;
    expect([lit(0), lit(5), lit(7), lit(12), lit(20)]).toEqual([0, 0, lamps, lamps, 0]);
    const shares = Array.from({ length: 60 }, (_, n) => lit(5.98 + n / 1500));
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.some((n) => n > 0 && n < lamps)).toBe(true);
  });

  test('traffic shakes covers by day more than by night; a crowd weakens the network; batteries age', () => {
    const mean = (world: World, hour: number, field: string) => {
      const values = of('manhole_cover').map((i) => world.sample(i, hour)[field] as number);
      return values.reduce((a, b) => a + b, 0) / values.length;
    };
    const [day, crowd] = [worldOf({ startHour: 0 }), worldOf({ startHour: 0, crowd: 2.5 })];
    expect(mean(day, 8, 'vibration_g')).toBeGreaterThan(1.3 * mean(day, 3, 'vibration_g'));
    expect(mean(crowd, 8, 'rssi')).toBeLessThan(mean(day, 8, 'rssi') - 5);
    expect(mean(day, 24 * 365, 'battery_v')).toBeLessThan(mean(day, 0, 'battery_v') - 0.02);
  });
});

test('frost empties the oldest batteries, and no others; without it all of them hold', () => {
  const lowAt = (temperatureC: number) => {
    const world = worldOf({ temperatureC });
    return all.filter((i) => ((world.sample(i, 1).battery_v as number | undefined) ?? 5) <= 3.2);
  };
  expect(lowAt(18)).toEqual([]);
  expect(lowAt(1)).toEqual([]);
  const low = lowAt(-6);
  expect(low.length).toBeGreaterThan(0);
  expect(low.length).toBeLessThan(0.02 * all.length);
  const ageOf = (i: number) => worldOf().surroundings(i, 0).ageDays ?? 0;
  const powered = all.filter((i) => 'battery_v' in worldOf().sample(i, 0));
  const oldest = powered.toSorted((a, b) => ageOf(b) - ageOf(a)).slice(0, 2 * low.length + 2);
  expect(low.filter((i) => !oldest.includes(i))).toEqual([]);
});

test('water above the drains is rain less their capacity, summed up, never below nothing', () => {
  const shower = fc.record({
    fromH: fc.double({ min: 0, max: 5, noNaN: true }),
    toH: fc.double({ min: 5, max: 9, noNaN: true }),
    mmPerH: fc.double({ min: 0, max: 90, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(shower, { maxLength: 4 }), fc.double({ min: 5, max: 40, noNaN: true }), (showers, capacity) => {
      const storage = new Storage(showers, capacity);
      const stepH = 1 / 500;
      let mm = 0;
      for (let n = 0; n < 12 / stepH; n++) {
        mm = Math.max(0, mm + (rainAt(showers, (n + 0.5) * stepH) - capacity) * stepH);
        if (n % 500 === 0) expect(Math.abs(storage.at((n + 1) * stepH) - mm)).toBeLessThan(1);
      }
    }),
    { numRuns: 30 },
  );
});

test('rain fills shafts where it falls faster than drains carry it, low ones to the rim, and they fall dry again', () => {
  const world = worldOf({ showers: [{ fromH: 1, toH: 3, mmPerH: 60 }] });
  const level = (i: number, hour: number) => world.sample(i, hour).water_level_m as number;
  const covers = of('manhole_cover');
  for (const i of covers) {
    expect(level(i, 3)).toBeLessThan(level(i, 0.9) - 0.5);
    expect(level(i, 20)).toBeGreaterThan(2);
  }
  const atRim = covers.filter((i) => level(i, 3) < 0.2);
  expect(atRim.length).toBeGreaterThan(0);
  expect(atRim.length).toBeLessThan(covers.length);
});

test('a feeder fault darkens its circuit and no other lamp; a burst main drops the pressure of its zone and no other', () => {
  const [circuit = '', zone = ''] = [table.circuits[1], table.zones[0]];
  const window = { fromH: 3, toH: 5 };
  const world = worldOf({
    incidents: [
      { what: 'feeder-fault', circuit, ...window },
      { what: 'burst-main', zone, ...window },
    ],
  });
  for (const hour of [2.9, 4, 5.1]) {
    const now = hour === 4;
    for (const i of of('streetlight')) {
      const { power_w, commanded_on } = world.sample(i, hour);
      expect(commanded_on).toBe(true);
      expect((power_w as number) < 5).toBe(now && table.circuits[table.circuit[i] as number] === circuit);
    }
    for (const i of of('fire_hydrant')) {
      const pressure = world.sample(i, hour).pressure_mpa as number;
      const low = now && table.zones[table.zone[i] as number] === zone;
      expect(pressure < 0.14).toBe(low);
      expect(pressure).toBeGreaterThan(0.05);
    }
  }
});

test('an outage cuts off the devices of its community, or all; what befalls one device is said by that one', () => {
  const basin = table.basins[2] as string;
  const world = worldOf({
    incidents: [
      { what: 'network-outage', basin, fromH: 1, toH: 2 },
      { what: 'network-outage', fromH: 3, toH: 4 },
      { what: 'device-fault', device: 0, fields: { tilt_deg: 120 }, fromH: 1, toH: 2 },
    ],
  });
  for (const i of all) {
    expect(world.reachable(i, 1.5)).toBe(table.basins[table.basin[i] as number] !== basin);
    expect([world.reachable(i, 2.5), world.reachable(i, 3.5)]).toEqual([true, false]);
  }
  expect([0, 1].map((i) => world.sample(i, 1.5).tilt_deg === 120)).toEqual([true, false]);
  expect(() => worldOf({ incidents: [{ what: 'burst-main', zone: 'zone-999', fromH: 0, toH: 1 }] })).toThrow('zone-999');
});
