import { beforeAll, describe, expect, test } from 'vitest';
import { applyProfile, type Condition, classKey, deviceKind, distanceM, inPolygon, type ThresholdRule } from '#grid/mod.ts';
import { createStreetRenderer, type IncidentClass, sceneAt, truthOf } from '#simulators/cameras/mod.ts';
import {
  buildDemoCity,
  type CameraIncident,
  type City,
  createStaging,
  DEVICE_FAULTS,
  type DemoScript,
  demoScript,
  zonesOf,
} from '#simulators/city/mod.ts';
import { createSampler } from '#simulators/devices/mod.ts';

const SEEDS = [1, 2, 7, 42];
const LENGTH_S = 90;

function holds(conditions: readonly Condition[], fields: Readonly<Record<string, number | boolean>>): boolean {
  const compare: Record<Condition['op'], (a: number | boolean, b: number | boolean) => boolean> = {
    gt: (a, b) => a > b,
    ge: (a, b) => a >= b,
    lt: (a, b) => a < b,
    le: (a, b) => a <= b,
    eq: (a, b) => a === b,
    ne: (a, b) => a !== b,
  };
  return conditions.every(({ field, op, value }) => fields[field] !== undefined && compare[op](fields[field], value));
}

describe.each(Object.entries(DEVICE_FAULTS))('faults of %s', (kindName, faults) => {
  const kind = deviceKind(kindName);
  const rules: readonly ThresholdRule[] = kind?.rules ?? [];

  test('stage every default rule of the kind once, but the one that needs the day', () => {
    const wanted = rules.map((r) => r.id).filter((id) => id !== 'day-burning');
    expect(faults.map((f) => f.rule).sort()).toEqual(wanted.sort());
  });

  test.each(faults.map((f) => [f.rule, f] as const))('%s: breaks that rule and no other, and its end clears it', (_, fault) => {
    if (kind === undefined) throw new Error(`no kind ${kindName}`);
    const sample = createSampler(kind, 3);
    // An evening as in the demo: lamps burn.
    const normal = sample({ hour: 20, elapsedS: 60 });
    const wrong = { ...normal, ...fault.fields };
    expect(rules.filter((r) => holds(r.when, wrong)).map((r) => r.id)).toEqual([fault.rule]);
    const rule = rules.find((r) => r.id === fault.rule) as ThresholdRule;
    // What only the incident says is never said again: then nothing clears it, and nobody may stage it.
    const after = { ...fault.fields, ...normal };
    const silent = rule.clear.when.filter((c) => normal[c.field] === undefined).map((c) => c.field);
    expect(silent).toEqual([]);
    expect(holds(rule.clear.when, after)).toBe(true);
  });
});

describe.each(SEEDS)('seed %i, 90 s', (seed) => {
  let city: City;
  let script: DemoScript;
  beforeAll(() => {
    city = buildDemoCity({ seed });
    script = demoScript(city, { seed, durationS: LENGTH_S });
  });
  const together = (a: CameraIncident, b: CameraIncident) => a.standsFromMs < b.standsToMs && b.standsFromMs < a.standsToMs;

  test('follows from its seed', () => {
    expect(demoScript(city, { seed, durationS: LENGTH_S })).toEqual(script);
    expect(demoScript(city, { seed: seed + 1, durationS: LENGTH_S }).cameras).not.toEqual(script.cameras);
  });

  test('sensors: a dozen or more, no device twice, each long enough to confirm and over in time', () => {
    expect(script.sensors.length).toBeGreaterThanOrEqual(12);
    expect(new Set(script.sensors.map((i) => i.device)).size).toBe(script.sensors.length);
    expect(new Set(script.sensors.map((i) => i.kind)).size).toBe(3);
    for (const i of script.sensors) {
      const rule = applyProfile(deviceKind(i.kind)?.rules ?? [], 'demo').find((r) => r.id === i.rule);
      expect(rule?.raises).toEqual('fault' in i.class ? { fault: i.class.fault } : { event: i.class.code });
      expect(i.repeats).toBe(false);
      expect(i.confirmMs).toBeLessThanOrEqual(5_000);
      expect(i.toMs - i.fromMs).toBeGreaterThanOrEqual(i.confirmMs + 10_000);
      expect(i.toMs).toBeLessThan(LENGTH_S * 1000);
      const device = city.edges.find((e) => e.id === i.edgeId)?.devices.find((d) => d.id === i.device);
      expect([device?.component, device?.lon, device?.lat]).toEqual([i.component, i.lon, i.lat]);
    }
  });

  test('cameras: a dozen or more of all five classes on all four, from 8 s on, the last complete by 65 s', () => {
    const { cameras } = script;
    expect(cameras.length).toBeGreaterThanOrEqual(12);
    expect(new Set(cameras.map((i) => i.detects)).size).toBe(5);
    expect(new Set(cameras.map((i) => i.camera)).size).toBe(4);
    expect(cameras.filter((i) => i.repeats)).toEqual([]);
    expect(cameras[0]?.standsFromMs).toBeGreaterThanOrEqual(8_000);
    expect(cameras[0]?.standsFromMs).toBeLessThan(14_000);
    expect(cameras.at(-1)?.standsFromMs).toBeLessThanOrEqual(65_000);
    for (const i of cameras) {
      expect(i.standsToMs - i.standsFromMs).toBeGreaterThanOrEqual(14_000);
      expect(i.standsToMs - i.standsFromMs).toBeLessThanOrEqual(20_000);
    }
  });

  test('what stands at the same time is apart; on two cameras never within 60 m', () => {
    for (const a of script.cameras)
      for (const b of script.cameras) {
        if (a === b || !together(a, b)) continue;
        expect(distanceM(a, b)).toBeGreaterThan(a.camera === b.camera ? 7.9 : 60);
      }
  });

  test('open shafts are registered covers without a sensor', () => {
    const sensed = new Set(city.edges.flatMap((e) => e.devices.map((d) => d.component)));
    const open = script.cameras.filter((i) => i.detects === 'open_manhole');
    expect(open.length).toBeGreaterThan(0);
    for (const i of open) {
      const component = city.components.find((c) => c.code === i.component);
      expect(component && distanceM(component, i)).toBeLessThan(0.1);
      expect(sensed.has(i.component ?? '')).toBe(false);
      expect(classKey(i.class)).toBe(`1:${i.component?.slice(6, 10)}:cover_open`);
    }
  });

  test('the cameras script says the same as the list of incidents', () => {
    for (const [id, street] of script.scripts) {
      const mine = script.cameras.filter((i) => i.camera === id);
      const truth = truthOf(street);
      expect(truth.map((t) => [t.id, t.detects, t.standsFromMs, t.standsToMs])).toEqual(
        mine.map((i) => [i.id, i.detects, i.standsFromMs, i.standsToMs]),
      );
      for (const [n, t] of truth.entries()) expect(distanceM(t, mine[n] as CameraIncident)).toBeLessThan(0.05);
    }
  });
});

test('every incident is well in view while it stands, and in the zone of its rule', () => {
  const seed = 7;
  const city = buildDemoCity({ seed });
  const script = demoScript(city, { seed, durationS: LENGTH_S });
  for (const camera of city.edges.flatMap((e) => e.cameras)) {
    const { street, light, pose } = camera;
    const renderer = createStreetRenderer(street, pose);
    const drawn = script.scripts.get(camera.id);
    const zones = zonesOf(camera, () => 0.5);
    for (const incident of script.cameras.filter((i) => i.camera === camera.id)) {
      const seen: number[] = [];
      for (let ts = incident.standsFromMs; ts < incident.standsToMs; ts += 2000) {
        const objects = drawn === undefined ? [] : sceneAt(drawn, ts);
        const truth = renderer.render({ street, light, objects, ts }).truth.find((t) => t.id === incident.id);
        seen.push(truth?.visible ?? 0);
        if (truth === undefined) continue;
        const [left, top, right, bottom] = truth.box;
        expect(Math.min(right - left, bottom - top), incident.id).toBeGreaterThanOrEqual(9);
        const flat = ['ponding', 'open_manhole'].includes(incident.detects);
        const contact = [(left + right) / 2 / pose.widthPx, (flat ? (top + bottom) / 2 : bottom) / pose.heightPx] as const;
        const zone = zones.find((z) => z.rules.some((r) => r.detects === incident.detects));
        if (truth.visible > 0.9) expect(inPolygon(...contact, zone?.polygon ?? []), incident.id).toBe(true);
      }
      // Somebody may pass before it.
      expect(seen.filter((v) => v >= 0.6).length / seen.length, incident.id).toBeGreaterThanOrEqual(0.8);
    }
  }
});

describe('without an end', () => {
  const city = buildDemoCity({ seed: 11 });

  test('advancing in steps makes what one step makes', () => {
    const [once, steps] = [createStaging(city, { seed: 5 }), createStaging(city, { seed: 5 })];
    const all = once.advance(300_000);
    const rounds = Array.from({ length: 60 }, (_, n) => steps.advance((n + 1) * 5_000));
    expect(rounds.flatMap((r) => r.sensors)).toEqual(all.sensors);
    const key = (i: CameraIncident) => `${i.id} ${i.standsFromMs} ${i.lon} ${i.lat}`;
    expect(rounds.flatMap((r) => r.cameras.map(key)).sort()).toEqual(all.cameras.map(key).sort());
  });

  test('goes on for a quarter of an hour at a steady rate, says what repeats, and forgets what is gone', () => {
    const staging = createStaging(city, { seed: 5 });
    const perMinute: number[] = [];
    let most = 0;
    const seen = new Map<string, string>();
    for (let minute = 1; minute <= 15; minute++) {
      const round = staging.advance(minute * 60_000);
      staging.forget((minute - 1) * 60_000);
      perMinute.push(round.cameras.length);
      most = Math.max(most, ...[...staging.scripts.values()].map((s) => s.actors.length));
      for (const i of round.sensors) {
        const key = `${i.device} ${classKey(i.class)}`;
        expect(i.repeats, key).toBe(seen.has(key));
        seen.set(key, i.id);
      }
    }
    expect(Math.min(...perMinute.slice(1))).toBeGreaterThanOrEqual(12);
    expect(most).toBeLessThan(80);
    const drawn = [...staging.scripts.values()][0] as NonNullable<
      DemoScript['scripts'] extends ReadonlyMap<string, infer S> ? S : never
    >;
    expect(sceneAt(drawn, 15 * 60_000 - 5_000).length).toBeGreaterThan(4);
  });

  test('two of one class on one camera that both count never stand on one spot', () => {
    const { cameras } = createStaging(city, { seed: 6 }).advance(900_000);
    const count = cameras.filter((i) => !i.repeats);
    for (const a of count)
      for (const b of count)
        if (a !== b && a.camera === b.camera && a.detects === b.detects)
          expect(distanceM(a, b)).toBeGreaterThan(a.detects === 'open_manhole' ? 4.9 : 5.9);
  });

  test('covers lie closed in the picture until they are open, and after', () => {
    const staging = createStaging(city, { seed: 5 });
    const open = staging.advance(120_000).cameras.find((i) => i.detects === 'open_manhole');
    if (open === undefined) throw new Error('no open shaft');
    const script = staging.scripts.get(open.camera);
    const at = (tMs: number, kind: IncidentClass | 'closed_manhole') =>
      script === undefined
        ? []
        : sceneAt(script, tMs).filter(
            (o) => o.kind === kind && o.id.includes(kind === 'open_manhole' ? open.id : (open.component ?? '?')),
          );
    const middle = (open.standsFromMs + open.standsToMs) / 2;
    const counts = [open.standsFromMs - 1, middle, open.standsToMs + 1].map((t) => [
      at(t, 'closed_manhole').length,
      at(t, 'open_manhole').length,
    ]);
    expect(counts).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
    ]);
  });
});

test('with the catalogue times things stand for minutes', () => {
  const city = buildDemoCity({ seed: 2 });
  const { sensors, cameras } = createStaging(city, { seed: 2, profile: 'default' }).advance(120_000);
  for (const i of cameras) expect(i.standsToMs - i.standsFromMs).toBeGreaterThan(i.dwellMs);
  expect(new Set(cameras.map((i) => i.dwellMs))).toEqual(new Set([180_000, 300_000]));
  for (const i of sensors) expect(i.toMs - i.fromMs).toBeGreaterThan(i.confirmMs);
});
