import {
  type Actor,
  decoys,
  type Light,
  type ObjectKind,
  onPavement,
  passingCar,
  type StayingActor,
  type StreetPlace,
  type StreetScript,
  type Stretch,
  toEnu,
  walker,
} from '../cameras/mod.ts';
import { type Dice, diceOf } from '../cameras/street/mod.ts';
import { buildDemoCity } from './city.ts';
import type { CityCamera } from './types.ts';

const HOUR_MS = 3_600_000;
/** What is in view and a little beyond, metres ahead of the pole. */
const STRETCH_M = [-4, 34] as const;
const SMALL_THINGS = 8;
const VANS = [1, 3] as const;
const TERRACES = [1, 3] as const;
const GROUPS = [0, 2] as const;
const GROUP = [4, 8] as const;
const GROUP_M = 1.6;
const APART_M = 4.5;
const THROWS_MAX = 60;
/** Parked where it is allowed: beyond the kerb by so much, so that no part of it stands on the road. */
const VAN_OFF_ROAD_M = 2.2;
const WALKERS_PER_MINUTE = 3;
const CARS_PER_MINUTE = 3;
const RAINY = 0.2;
const WINDY = 0.2;
const DAZZLED = 0.5;

/**
 * One hour of a camera's street on which there is nothing to report, and much that is easily taken for it: covers in their
 * shafts, vans parked where they may, wet patches, bins, market umbrellas, groups of people, traffic that does not stop. The hour of
 * the day makes the light. Pure.
 */
export function quietHour(camera: CityCamera, seed: number, hour: number): StreetScript {
  const { street, looks, covers } = camera;
  const dice = diceOf(seed, hour, 95);
  const stretch: Stretch = looks === 1 ? STRETCH_M : [-STRETCH_M[1], -STRETCH_M[0]];
  const taken: StreetPlace[] = covers.map((c) => c.place);
  const stay = (id: string, kind: StayingActor['object']['kind'], place: StreetPlace, turnDeg: number): StayingActor => ({
    id,
    object: { kind, seed: dice.whole(1, 1e9), ...(kind === 'vehicle' ? VAN : {}) },
    stay: { ...toEnu(street, place), headingDeg: (street.roadHeadingDeg + turnDeg + 360) % 360, fromMs: 0 },
  });
  const place = (acrossM: () => number): StreetPlace | null => {
    for (let throws = 0; throws < THROWS_MAX; throws++) {
      const spot = { alongM: dice.between(...stretch), acrossM: acrossM() };
      if (taken.some((t) => Math.hypot(t.alongM - spot.alongM, t.acrossM - spot.acrossM) < APART_M)) continue;
      taken.push(spot);
      return spot;
    }
    return null;
  };
  const side = () => dice.pick([1, -1] as const);
  const beyondKerb = () =>
    side() * (street.roadWidthM / 2 + Math.min(VAN_OFF_ROAD_M + dice.between(0, 0.6), street.pavementWidthM));
  const actors: Actor[] = covers.map((c) => stay(`cover-${c.code}`, 'closed_manhole', c.place, 0));
  const put = (count: number, id: string, make: (n: number) => StayingActor | null) => {
    for (let n = 0; n < count; n++) {
      const actor = make(n);
      if (actor !== null) actors.push({ ...actor, id: `${id}-${n + 1}` });
    }
  };
  put(dice.whole(...VANS), 'van', () => {
    const spot = place(beyondKerb);
    return spot && stay('', 'vehicle', spot, dice.pick([0, 180]) + dice.between(-4, 4));
  });
  put(dice.whole(...TERRACES), 'terrace', () => {
    const spot = place(() => onPavement(street, side(), dice.between(0.4, 0.8)));
    return spot && stay('', 'terrace', spot, dice.between(0, 360));
  });
  for (let group = dice.whole(...GROUPS); group > 0; group--) {
    const middle = place(() => onPavement(street, side(), dice.between(0.3, 0.7)));
    const off = () => dice.between(-GROUP_M, GROUP_M);
    put(
      dice.whole(...GROUP),
      `group-${group}`,
      () =>
        middle && stay('', 'person', { alongM: middle.alongM + off(), acrossM: middle.acrossM + off() }, dice.between(0, 360)),
    );
  }
  actors.push(...decoys(street, dice.whole(1, 1e9), SMALL_THINGS, stretch, taken));
  actors.push(...passers(camera, dice, stretch));
  return { street, light: lightAt(hour, dice), actors };
}

/** What stands on a street for a time: the rest of it is built in, or as good as that. */
const COME_AND_GO: ReadonlySet<ObjectKind> = new Set(['vehicle', 'terrace', 'parasol', 'wet_patch', 'person']);
/** Late enough for a camera to know the place without it, early enough for the longest dwell time. */
const COMES_MS = [2 * 60_000, 50 * 60_000] as const;

/**
 * The same hour, on which all that may come and go comes at some moment of it, and is not there before: each of them as if it were put
 * there anew in every hour, which is much oftener than it is.
 */
export function comingHour(script: StreetScript, seed: number, hour: number): StreetScript {
  const dice = diceOf(seed, hour, 97);
  const actors = script.actors.map((actor): Actor => {
    if (!('stay' in actor) || !COME_AND_GO.has(actor.object.kind)) return actor;
    return { ...actor, stay: { ...actor.stay, fromMs: dice.whole(...COMES_MS) } };
  });
  return { ...script, actors };
}

/** The cameras of the cities `seed`, `seed + 1`, ... one after the other, without end: a quiet hour each. */
export function* quietCameras(seed: number): Generator<CityCamera, never> {
  for (let city = seed; ; city++) yield* buildDemoCity({ seed: city, sensors: 0 }).edges.flatMap((e) => e.cameras);
}

const VAN = { lengthM: 4.9, widthM: 1.9, heightM: 2.1 } as const;

/** People and cars that do not stop, at exponential gaps. */
function passers({ street }: CityCamera, dice: Dice, stretch: Stretch): Actor[] {
  const gapMs = (perMinute: number) => (-Math.log(1 - dice.next()) * 60_000) / perMinute;
  const actors: Actor[] = [];
  for (let atMs = gapMs(WALKERS_PER_MINUTE), n = 1; atMs < HOUR_MS; atMs += gapMs(WALKERS_PER_MINUTE), n++)
    actors.push(walker(street, `walker-${n}`, dice, stretch, atMs));
  for (let atMs = gapMs(CARS_PER_MINUTE), n = 1; atMs < HOUR_MS; atMs += gapMs(CARS_PER_MINUTE), n++)
    actors.push(passingCar(street, `car-${n}`, dice, stretch, atMs));
  return actors;
}

/** Night until five and from nine, an hour and a half of dawn and dusk; low sun after the one and before the other. */
function lightAt(hour: number, dice: Dice): Light {
  const ofDay = ((hour % 24) + 24) % 24;
  const rising = Math.min(1, Math.max(0, (ofDay - 5) / 3));
  const setting = Math.min(1, Math.max(0, (21 - ofDay) / 4));
  const daylight = Math.min(rising, setting);
  const rain = dice.chance(RAINY) ? dice.between(0.2, 1) : 0;
  const lowSun = rain === 0 && [7, 8, 17, 18].includes(ofDay) && dice.chance(DAZZLED);
  return {
    daylight,
    rain,
    sunHeadingDeg: dice.between(80, 280),
    shadow: rain === 0 && daylight > 0.5 ? dice.between(0, 0.9) : 0,
    glare: lowSun ? dice.between(0.2, 0.9) : 0,
    wind: dice.chance(WINDY) ? dice.between(0.2, 1) : 0,
  };
}
