import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createStreetRenderer,
  DETECTION_CLASSES,
  type IncidentClass,
  type IncidentPlan,
  kerb,
  OBJECT_SIZES,
  onPavement,
  type Street,
  type StreetScript,
  sceneAt,
  stageIncident,
  stageStreet,
  toEnu,
  toStreetPlace,
  toWgs84,
  truthOf,
} from '#simulators/cameras/mod.ts';

const street: Street = {
  seed: 5,
  originLon: 116.39,
  originLat: 39.9,
  roadHeadingDeg: 90,
  roadWidthM: 9,
  pavementWidthM: 4,
  roadOffsetM: 2,
};
const light = { daylight: 1, rain: 0, sunHeadingDeg: 140, shadow: 0.5 };
const CLASSES = DETECTION_CLASSES.filter((c): c is IncidentClass => c !== 'person');

const plan = (cls: IncidentClass): IncidentPlan => ({
  id: `an-${cls}`,
  class: cls,
  place: { alongM: 10, acrossM: cls === 'vehicle' ? kerb(street, -1) : onPavement(street, 1, 0.5) },
  fromMs: 1000,
  standsMs: 20_000,
  seed: 3,
});
const scriptOf = (...classes: IncidentClass[]): StreetScript => ({
  street,
  light,
  actors: classes.map((c) => stageIncident(street, plan(c))),
});

describe('sceneAt', () => {
  it('moves along a path, turned as it goes, and is there only from its first to its last waypoint', () => {
    const path = [
      { atMs: 1000, xM: 0, yM: 0 },
      { atMs: 2000, xM: 10, yM: 0 },
      { atMs: 3000, xM: 10, yM: 0 },
      { atMs: 4000, xM: 10, yM: -4 },
    ];
    const script: StreetScript = {
      street,
      light,
      actors: [{ id: 'a', object: { kind: 'person', seed: 1, heightM: 1.6 }, path }],
    };
    const seen = (tMs: number) => sceneAt(script, tMs).map((o) => [o.xM, o.yM, Math.round(o.headingDeg)]);
    expect([999, 4000].flatMap(seen)).toEqual([]);
    expect([1000, 1500, 2500, 3500].flatMap(seen)).toEqual([
      [0, 0, 90],
      [5, 0, 90],
      [10, 0, 90],
      [10, -2, 180],
    ]);
    expect(sceneAt(script, 1500)[0]).toMatchObject({
      id: 'a',
      kind: 'person',
      lengthM: OBJECT_SIZES.person.lengthM,
      heightM: 1.6,
    });
  });

  it('turns the short way between headings that are given', () => {
    const at = (atMs: number, headingDeg: number) => ({ atMs, xM: 0, yM: 0, headingDeg });
    const turning = (from: number, to: number) => {
      const script: StreetScript = {
        street,
        light,
        actors: [{ id: 'a', object: { kind: 'vehicle', seed: 1 }, path: [at(0, from), at(100, to)] }],
      };
      return [0, 25, 50, 75].map((t) => Math.round(sceneAt(script, t)[0]?.headingDeg ?? -1));
    };
    expect(turning(350, 10)).toEqual([350, 355, 0, 5]);
    expect(turning(10, 350)).toEqual([10, 5, 0, 355]);
  });

  it('lets rubbish and puddles grow until they stand, and shows an open manhole at once', () => {
    const grown = (cls: IncidentClass, tMs: number) => sceneAt(scriptOf(cls), tMs)[0]?.grown;
    expect([999, 1000, 2000, 3000, 22_999, 23_000].map((t) => grown('garbage', t))).toEqual([
      undefined,
      0.1,
      0.5,
      1,
      1,
      undefined,
    ]);
    expect(grown('ponding', 2500)).toBe(0.5);
    expect(grown('open_manhole', 1000)).toBe(1);
  });

  it('depends on nothing but script and time', () => {
    const make = () =>
      stageStreet({
        street,
        light,
        seed: 9,
        stretch: [0, 30],
        durationMs: 60_000,
        incidents: CLASSES.map(plan),
        walkersPerMinute: 10,
        carsPerMinute: 10,
        decoys: 8,
      });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 80_000 }), (t) => {
        expect(sceneAt(make(), t)).toEqual(sceneAt(make(), t));
      }),
      { numRuns: 20 },
    );
  });
});

describe('incidents', () => {
  it.each(CLASSES)('%s stands at its place from when to when the truth says', (cls) => {
    const script = scriptOf(cls);
    const [truth] = truthOf(script);
    const at = toEnu(street, plan(cls).place);
    expect(truth).toMatchObject({ id: `an-${cls}`, detects: cls, ...at });
    const [lon, lat] = toWgs84(at.xM, at.yM, street.originLon, street.originLat);
    expect(truth).toMatchObject({ lon, lat });
    const { standsFromMs, standsToMs } = truth as NonNullable<typeof truth>;
    expect(standsToMs - standsFromMs).toBe(20_000);
    for (let t = standsFromMs; t < standsToMs; t += 1000)
      expect(sceneAt(script, t)[0]).toMatchObject({ ...at, kind: cls, grown: 1 });
    expect(sceneAt(script, 999)).toEqual([]);
    expect(sceneAt(script, standsToMs + 3001)).toEqual([]);
  });

  it('has a car come with the traffic and stand along the road', () => {
    const script = scriptOf('vehicle');
    const [before, standing] = [sceneAt(script, 2000)[0], sceneAt(script, 10_000)[0]];
    // The road runs east; on its left side traffic goes west.
    expect(before?.xM).toBeGreaterThan(standing?.xM ?? 0);
    expect([before?.headingDeg, standing?.headingDeg]).toEqual([270, 270]);
  });

  it('refuses a truth that its actor does not keep', () => {
    const actor = stageIncident(street, plan('garbage'));
    const late = { ...actor, incident: { ...actor.incident, standsToMs: 90_000 } };
    expect(() => truthOf({ street, light, actors: [late] })).toThrow('does not stand');
  });
});

describe('stageStreet', () => {
  const script = stageStreet({
    street,
    light,
    seed: 4,
    stretch: [0, 40],
    durationMs: 120_000,
    incidents: CLASSES.map(plan),
    walkersPerMinute: 12,
    carsPerMinute: 9,
    decoys: 6,
  });

  it('stages what was planned and no other incident', () => {
    expect(
      truthOf(script)
        .map((t) => t.detects)
        .sort(),
    ).toEqual([...CLASSES].sort());
  });

  it('has people and cars pass that never stop where they could be taken for an incident', () => {
    const passing = script.actors.filter((a) => /^(walker|car)-/.test(a.id));
    expect(passing.filter((a) => a.id.startsWith('walker')).length).toBeGreaterThan(12);
    expect(passing.filter((a) => a.id.startsWith('car-')).length).toBeGreaterThan(8);
    for (const actor of passing) {
      if (!('path' in actor)) throw new Error(`${actor.id} stays`);
      for (const [i, to] of actor.path.entries()) {
        const from = actor.path[i - 1];
        if (from !== undefined)
          expect(Math.hypot(to.xM - from.xM, to.yM - from.yM) / ((to.atMs - from.atMs) / 1000)).toBeGreaterThan(1);
      }
    }
  });

  it('keeps harmless things clear of the places that incidents take', () => {
    const decoys = sceneAt(script, 0).filter((o) => o.id.startsWith('decoy'));
    expect(decoys).toHaveLength(6);
    for (const decoy of decoys) {
      for (const t of truthOf(script)) expect(Math.hypot(decoy.xM - t.xM, decoy.yM - t.yM)).toBeGreaterThan(3);
    }
  });

  it('knows street places both ways', () => {
    expect(toEnu({ ...street, roadHeadingDeg: 0 }, { alongM: 7, acrossM: 3 })).toEqual({ xM: 5, yM: 7 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 359 }),
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: -9, max: 9 }),
        (roadHeadingDeg, alongM, acrossM) => {
          const { xM, yM } = toEnu({ ...street, roadHeadingDeg }, { alongM, acrossM });
          const back = toStreetPlace({ ...street, roadHeadingDeg }, xM, yM);
          expect(Math.hypot(back.alongM - alongM, back.acrossM - acrossM)).toBeLessThan(1e-9);
        },
      ),
    );
  });
});

describe('a vendor', () => {
  const whole = plan('stall');
  const actor = stageIncident(street, { ...whole, unpacksMs: 3_000 });
  const script: StreetScript = { street, light, actors: [actor] };
  const lengthAt = (tMs: number) => sceneAt(script, tMs)[0]?.lengthM ?? 0;

  it('arrives, unpacks in three steps where it stands, and counts from when it is complete', () => {
    const [truth] = truthOf(script);
    const [before] = truthOf({ street, light, actors: [stageIncident(street, whole)] });
    expect(truth).toMatchObject({ standsFromMs: (before?.standsFromMs ?? 0) + 3_000, xM: before?.xM, yM: before?.yM });
    expect((truth?.standsToMs ?? 0) - (truth?.standsFromMs ?? 0)).toBe(20_000);
    const arrivedMs = before?.standsFromMs ?? 0;
    const lengths = Array.from({ length: 61 }, (_, n) => lengthAt(arrivedMs - 500 + n * 60));
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(new Set(lengths).size).toBe(4);
    expect(lengths.at(-1)).toBe(OBJECT_SIZES.stall.lengthM);
    // It does not move any more.
    const [at, later] = [arrivedMs, arrivedMs + 2_900].map((tMs) => sceneAt(script, tMs)[0]);
    expect([later?.xM, later?.yM]).toEqual([at?.xM, at?.yM]);
  });

  it('is drawn as the stall that it becomes, only smaller', () => {
    const pose = { lon: 0, lat: 0, heightM: 6, headingDeg: 90, pitchDeg: 28, hfovDeg: 70, widthPx: 320, heightPx: 180 };
    const [lon, lat] = toWgs84(-4, 0, street.originLon, street.originLat);
    const renderer = createStreetRenderer(street, { ...pose, lon, lat });
    const boxAt = (tMs: number) => {
      const [seen] = renderer.render({ street, light, objects: sceneAt(script, tMs), ts: 0 }).truth;
      const [left = 0, top = 0, right = 0, bottom = 0] = seen?.box ?? [];
      return { class: seen?.class, areaPx: (right - left) * (bottom - top) };
    };
    const [packed, complete] = [boxAt(3_100), boxAt(7_000)];
    expect([packed.class, complete.class]).toEqual(['stall', 'stall']);
    expect(packed.areaPx).toBeGreaterThan(0.2 * complete.areaPx);
    expect(packed.areaPx).toBeLessThan(0.95 * complete.areaPx);
  });
});
