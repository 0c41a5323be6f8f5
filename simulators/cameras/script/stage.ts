import type { Light, Street } from '../scene.ts';
import { diceOf } from '../street/mod.ts';
import type { Actor, StreetScript } from './actor.ts';
import { customer, decoys, passingCar, type Stretch, walker } from './bystanders.ts';
import { type IncidentPlan, stageIncident } from './incidents.ts';

export interface StagePlan {
  street: Street;
  light: Light;
  /** Chooses everything that the plan leaves open. */
  seed: number;
  /** The part of the street that cameras see. */
  stretch: Stretch;
  /** Bystanders come until then; incidents come when their plans say. */
  durationMs: number;
  incidents: readonly IncidentPlan[];
  walkersPerMinute: number;
  carsPerMinute: number;
  decoys: number;
}

/** A whole script: incidents as planned, a customer at each stall, people and cars that pass, harmless things all along. */
export function stageStreet(plan: StagePlan): StreetScript {
  const { street, light, seed, stretch, durationMs, incidents } = plan;
  const dice = diceOf(seed, 42);
  const places = incidents.map((incident) => incident.place);
  const actors: Actor[] = decoys(street, seed, plan.decoys, stretch, places);
  for (const incident of incidents) {
    actors.push(stageIncident(street, incident));
    if (incident.class === 'stall') actors.push(customer(street, `customer-${incident.id}`, dice, incident));
  }
  for (const [n, atMs] of arrivals(plan.walkersPerMinute, durationMs, () => dice.next()).entries())
    actors.push(walker(street, `walker-${n + 1}`, dice, stretch, atMs));
  for (const [n, atMs] of arrivals(plan.carsPerMinute, durationMs, () => dice.next()).entries())
    actors.push(passingCar(street, `car-${n + 1}`, dice, stretch, atMs));
  return { street, light, actors };
}

/** Times at which bystanders come: exponential gaps around the mean rate. */
function arrivals(perMinute: number, durationMs: number, random: () => number): number[] {
  const times: number[] = [];
  if (perMinute <= 0) return times;
  const meanMs = 60_000 / perMinute;
  const gapMs = (): number => -Math.log(1 - random()) * meanMs;
  for (let atMs = gapMs(); atMs < durationMs; atMs += gapMs()) times.push(atMs);
  return times;
}
