import type { Street } from '../scene.ts';
import type { Incident, IncidentActor, IncidentClass, Waypoint } from './actor.ts';
import { lane, type StreetPlace, sideOf, toEnu, trafficHeadingDeg } from './place.ts';

/** What is to happen: a thing of `class` comes at `fromMs`, stands for `standsMs` at `place`, and goes. */
export interface IncidentPlan {
  id: string;
  class: IncidentClass;
  place: StreetPlace;
  /** It begins to arrive. */
  fromMs: number;
  standsMs: number;
  /** So long a stall is unpacked, in steps, where it has arrived; it stands complete afterwards. It comes unpacked where not given. */
  unpacksMs?: number;
  /** Chooses its looks. */
  seed: number;
}

/** How long each takes from first sight to standing complete. */
export const ARRIVAL_MS: Readonly<Record<IncidentClass, number>> = {
  stall: 2_000,
  garbage: 2_000,
  ponding: 3_000,
  open_manhole: 0,
  vehicle: 4_000,
};
const PUSHED_FROM_M = 3.5;
const DRIVEN_FROM_M = 26;
/** A car turns to the kerb on the last metres and seconds. */
const TURN_M = 8;
const TURN_MS = 1_600;
const LEAVING_MS = 3_000;

/** From first sight to standing complete, ms. */
export function arrivalMs({ class: kind, unpacksMs = 0 }: Pick<IncidentPlan, 'class' | 'unpacksMs'>): number {
  return ARRIVAL_MS[kind] + (kind === 'stall' ? unpacksMs : 0);
}

/** Turns a plan into an actor with its way in, its stay and its way out. */
export function stageIncident(street: Street, plan: IncidentPlan): IncidentActor {
  const standsFromMs = plan.fromMs + arrivalMs(plan);
  const incident: Incident = { id: plan.id, class: plan.class, standsFromMs, standsToMs: standsFromMs + plan.standsMs };
  const actor = { id: plan.id, object: { kind: plan.class, seed: plan.seed }, incident };
  if (plan.class === 'stall') {
    const path = pushedIn(street, plan, incident);
    const arrivedMs = plan.fromMs + ARRIVAL_MS.stall;
    return arrivedMs === standsFromMs ? { ...actor, path } : { ...actor, path, grows: { fromMs: arrivedMs, toMs: standsFromMs } };
  }
  if (plan.class === 'vehicle') return { ...actor, path: drivenIn(street, plan, incident) };
  const stay = {
    ...toEnu(street, plan.place),
    headingDeg: street.roadHeadingDeg,
    fromMs: plan.fromMs,
    toMs: incident.standsToMs,
  };
  if (plan.class === 'open_manhole') return { ...actor, stay };
  return { ...actor, stay, grows: { fromMs: plan.fromMs, toMs: standsFromMs } };
}

/** A stall is pushed a few metres along the street, is unpacked, stands, and is pushed on. */
function pushedIn(street: Street, { place, fromMs }: IncidentPlan, { standsToMs }: Incident): Waypoint[] {
  const at = (alongM: number, atMs: number): Waypoint => ({
    atMs,
    ...toEnu(street, { alongM, acrossM: place.acrossM }),
    headingDeg: street.roadHeadingDeg,
  });
  return [
    at(place.alongM - PUSHED_FROM_M, fromMs),
    at(place.alongM, fromMs + ARRIVAL_MS.stall),
    at(place.alongM, standsToMs),
    at(place.alongM + PUSHED_FROM_M, standsToMs + ARRIVAL_MS.stall),
  ];
}

/** A car comes along its lane, turns to the place, stands along the road, and leaves ahead. */
function drivenIn(street: Street, { place, fromMs }: IncidentPlan, { standsFromMs, standsToMs }: Incident): Waypoint[] {
  const side = sideOf(place);
  const headingDeg = trafficHeadingDeg(street, side);
  const at = (aheadM: number, acrossM: number, atMs: number): Waypoint => ({
    atMs,
    ...toEnu(street, { alongM: place.alongM + side * aheadM, acrossM }),
    headingDeg,
  });
  const driven = lane(street, side);
  return [
    at(-DRIVEN_FROM_M, driven, fromMs),
    at(-TURN_M, driven, standsFromMs - TURN_MS),
    at(0, place.acrossM, standsFromMs),
    at(0, place.acrossM, standsToMs),
    at(TURN_M, driven, standsToMs + TURN_MS),
    at(DRIVEN_FROM_M, driven, standsToMs + LEAVING_MS),
  ];
}
