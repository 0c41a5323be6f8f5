import type { SiteComponent } from '#grid/mod.ts';
import { diceOf } from '../cameras/street/mod.ts';
import { cityFrame } from './frame.ts';
import type { Registrar } from './registrar.ts';
import { layRoads, pointOn } from './roads.ts';
import type { City } from './types.ts';

/** What stands along a street beside sensors: class, metres from one to the next, metres from the road's centre line. */
const FURNITURE: readonly { componentClass: string; everyM: number; acrossM: readonly [number, number] }[] = [
  { componentClass: '0402', everyM: 14, acrossM: [7.4, 8] },
  { componentClass: '0305', everyM: 55, acrossM: [8.2, 8.8] },
  { componentClass: '0103', everyM: 45, acrossM: [3.4, 4] },
  { componentClass: '0104', everyM: 35, acrossM: [4.2, 4.6] },
  { componentClass: '0107', everyM: 70, acrossM: [8.9, 9.3] },
  { componentClass: '0407', everyM: 110, acrossM: [9.4, 9.8] },
  { componentClass: '0209', everyM: 80, acrossM: [5, 5.4] },
];
/** Off the ends of a road, which cells' corners may cut. */
const END_M = 12;
const JITTER = 0.25;

/** A component and the road that it stands at. */
export interface Furniture extends SiteComponent {
  road: string;
}

/** Registered components without a sensor, along all roads on both sides, one by one: a district has tens of thousands. */
export function* furnitureOf({ seed, ground }: City, registrar: Registrar): Generator<Furniture, void> {
  const dice = diceOf(seed, 73);
  const frame = cityFrame({ lon: ground.originLon, lat: ground.originLat }, ground.turnDeg);
  for (const road of layRoads(ground.layout))
    for (const { componentClass, everyM, acrossM } of FURNITURE)
      for (let atM = road.fromM + END_M; atM < road.toM - END_M; atM += everyM) {
        const alongM = Math.min(road.toM - END_M, atM + dice.between(0, JITTER) * everyM);
        const position = frame.toPosition(pointOn(ground.layout, road, alongM, dice.pick([-1, 1]) * dice.between(...acrossM)));
        yield { ...registrar.register(componentClass, position), road: road.id };
      }
}
