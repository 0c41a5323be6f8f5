import type { DecoyKind, Street } from '../scene.ts';
import { type Dice, diceOf } from '../street/mod.ts';
import type { MovingActor, StayingActor } from './actor.ts';
import type { IncidentPlan } from './incidents.ts';
import { lane, onPavement, type Side, type StreetPlace, sideOf, toEnu, trafficHeadingDeg } from './place.ts';

/** The stretch of street that a script fills, metres along. */
export type Stretch = readonly [fromM: number, toM: number];

/** People and cars come from and go to so far beyond the stretch. */
const BEYOND_M = 12;
const WALK_MPS = [1.1, 1.6] as const;
const DRIVE_MPS = [7, 11] as const;
/** Nothing that stands all the time stands nearer to an incident's place. */
const CLEAR_OF_INCIDENTS_M = 3.2;

/** Somebody walks along a pavement from one end of the stretch to the other. */
export function walker(street: Street, id: string, dice: Dice, stretch: Stretch, fromMs: number): MovingActor {
  const side: Side = dice.chance(0.5) ? 1 : -1;
  const across = onPavement(street, side, dice.between(0.25, 0.85));
  return {
    id,
    object: { kind: 'person', seed: dice.whole(1, 1e9) },
    path: along(street, across, dice.pick([1, -1]), stretch, dice.between(...WALK_MPS), fromMs),
  };
}

/** A car drives through without stopping. */
export function passingCar(street: Street, id: string, dice: Dice, stretch: Stretch, fromMs: number): MovingActor {
  const side: Side = dice.chance(0.5) ? 1 : -1;
  const path = along(street, lane(street, side), side, stretch, dice.between(...DRIVE_MPS), fromMs);
  const headingDeg = trafficHeadingDeg(street, side);
  return { id, object: { kind: 'vehicle', seed: dice.whole(1, 1e9) }, path: path.map((w) => ({ ...w, headingDeg })) };
}

function along(street: Street, acrossM: number, direction: 1 | -1, [fromM, toM]: Stretch, speedMps: number, fromMs: number) {
  const ends = direction === 1 ? [fromM - BEYOND_M, toM + BEYOND_M] : [toM + BEYOND_M, fromM - BEYOND_M];
  const tookMs = ((toM - fromM + 2 * BEYOND_M) / speedMps) * 1000;
  return ends.map((alongM, i) => ({ atMs: fromMs + i * tookMs, ...toEnu(street, { alongM, acrossM }) }));
}

/** Somebody comes to a stall, looks at the goods beside it, and walks on. */
export function customer(street: Street, id: string, dice: Dice, stall: IncidentPlan): MovingActor {
  const beside = stall.place.alongM + dice.pick([-1, 1]) * 2;
  const across = stall.place.acrossM + sideOf(stall.place) * dice.between(-0.3, 0.5);
  const comesMs = stall.fromMs + Math.min(stall.standsMs, 5_000);
  const staysMs = Math.min(8_000, stall.standsMs / 3);
  const away = dice.pick([-10, 10]);
  const at = (alongM: number, atMs: number) => ({ atMs, ...toEnu(street, { alongM, acrossM: across }) });
  const path = [
    at(beside - away, comesMs - 7_000),
    at(beside, comesMs),
    at(beside, comesMs + staysMs),
    at(beside + away, comesMs + staysMs + 7_000),
  ];
  return { id, object: { kind: 'person', seed: dice.whole(1, 1e9) }, path };
}

const ON_ROAD: readonly DecoyKind[] = ['closed_manhole', 'wet_patch'];
const ON_PAVEMENT: readonly DecoyKind[] = ['bin', 'closed_manhole', 'planter', 'bench', 'bollard', 'parasol'];

/** Harmless things that stand all the time, clear of the places that incidents need. */
export function decoys(
  street: Street,
  seed: number,
  count: number,
  stretch: Stretch,
  taken: readonly StreetPlace[],
): StayingActor[] {
  const dice = diceOf(seed, 41);
  const used = [...taken];
  const actors: StayingActor[] = [];
  // A crowded stretch gets fewer: the number of throws is bounded.
  for (let throws = 0; actors.length < count && throws < 20 * count; throws++) {
    const road = dice.chance(0.35);
    const side: Side = dice.chance(0.5) ? 1 : -1;
    const acrossM = road
      ? side * dice.between(0.2, 0.9) * (street.roadWidthM / 2)
      : onPavement(street, side, dice.between(0.2, 0.9));
    const place = { alongM: dice.between(...stretch), acrossM };
    if (used.some((p) => Math.hypot(p.alongM - place.alongM, p.acrossM - place.acrossM) < CLEAR_OF_INCIDENTS_M)) continue;
    used.push(place);
    const headingDeg = (street.roadHeadingDeg + dice.pick([0, 180]) + dice.between(-6, 6) + 360) % 360;
    const object = { kind: dice.pick(road ? ON_ROAD : ON_PAVEMENT), seed: dice.whole(1, 1e9) };
    actors.push({ id: `decoy-${actors.length + 1}`, object, stay: { ...toEnu(street, place), headingDeg, fromMs: 0 } });
  }
  return actors;
}
