import type { SiteCell, SiteComponent, Zone, ZoneRule } from '#grid/mod.ts';
import {
  type IncidentClass,
  type IncidentPlan,
  kerb,
  onPavement,
  type Side,
  type Street,
  type StreetPlace,
  stageStreet,
} from '#simulators/cameras/mod.ts';
import { type Dice, diceOf } from '#simulators/cameras/street/mod.ts';
import { buildDemoCity, type CameraIncident, type CityCamera, createStaging, zonesOf } from '#simulators/city/mod.ts';
import type { DrawnView } from './drawn.ts';

/** Ahead of the pole, where a detector of this size has something to go by; and what bystanders fill. */
const AHEAD_M = [6, 19] as const;
const STRETCH_M = [-4, 34] as const;
/** Things that stand at the same time: as near as stalls and parked cars really are. */
const APART_M: Readonly<Record<string, number>> = { vehicle: 5.2 };
const APART_M_OTHER = 3;
const INCIDENTS_PER_MINUTE = 10;
const STANDS_MS = [12_000, 45_000] as const;
const WALKERS_PER_MINUTE = 12;
const CARS_PER_MINUTE = 14;
const CLASSES: readonly IncidentClass[] = ['stall', 'vehicle', 'garbage', 'stall', 'vehicle', 'ponding', 'open_manhole'];

/** Streets on which much stands side by side and much drives and walks past it: what a tracker finds hard. */
export function busyViews(citySeed: number, durationMs: number): DrawnView[] {
  return camerasOf(citySeed).map((camera, n) => busyView(camera, diceOf(citySeed, 301, n), durationMs));
}

function busyView({ id, street, pose, light, looks }: CityCamera, dice: Dice, durationMs: number): DrawnView {
  const plans: IncidentPlan[] = [];
  const count = Math.round((durationMs / 60_000) * INCIDENTS_PER_MINUTE);
  for (let throws = 0; plans.length < count && throws < 40 * count; throws++) {
    const detects = dice.pick(CLASSES);
    const plan: IncidentPlan = {
      id: `${id}-busy-${plans.length}`,
      class: detects,
      place: { alongM: looks * dice.between(...AHEAD_M), acrossM: acrossM(street, detects, dice) },
      fromMs: Math.round(dice.between(-20_000, durationMs - 10_000)),
      standsMs: Math.round(dice.between(...STANDS_MS)),
      seed: dice.whole(1, 1e9),
    };
    if (plans.every((p) => !together(p, plan) || apartM(p.place, plan.place) >= room(p, plan))) plans.push(plan);
  }
  const stretch = looks === 1 ? STRETCH_M : ([-STRETCH_M[1], -STRETCH_M[0]] as const);
  const bystanders = { walkersPerMinute: WALKERS_PER_MINUTE, carsPerMinute: CARS_PER_MINUTE, decoys: 4 };
  const seed = dice.whole(1, 1e9);
  return { id, pose, script: stageStreet({ street, light, seed, stretch, durationMs, incidents: plans, ...bystanders }) };
}

function acrossM(street: Street, detects: IncidentClass, dice: Dice): number {
  const side: Side = dice.chance(0.5) ? 1 : -1;
  if (detects === 'vehicle') return kerb(street, side);
  if (detects === 'ponding' || detects === 'open_manhole') return side * dice.between(0.5, street.roadWidthM / 2 - 1);
  return onPavement(street, side, dice.between(0.25, 0.7));
}

/** Beyond its end a thing still leaves. */
const MARGIN_MS = 6_000;

function together(a: IncidentPlan, b: IncidentPlan): boolean {
  return a.fromMs < b.fromMs + b.standsMs + MARGIN_MS && b.fromMs < a.fromMs + a.standsMs + MARGIN_MS;
}

const room = (a: IncidentPlan, b: IncidentPlan): number =>
  Math.max(APART_M[a.class] ?? APART_M_OTHER, APART_M[b.class] ?? APART_M_OTHER);

const apartM = (a: StreetPlace, b: StreetPlace): number => Math.hypot(a.alongM - b.alongM, a.acrossM - b.acrossM);

export interface StagedView extends DrawnView {
  zones: Zone[];
  incidents: CameraIncident[];
  cells: SiteCell[];
  components: SiteComponent[];
}

/** The demo's own streets with its incidents one after the other, and zones that watch for them. */
export function stagedViews(
  citySeed: number,
  durationMs: number,
  terms: { dwellS: number; confidenceMin(detects: IncidentClass): number },
): StagedView[] {
  const city = buildDemoCity({ seed: citySeed });
  const staging = createStaging(city, { seed: citySeed });
  const { cameras } = staging.advance(durationMs, durationMs - 20_000);
  return city.edges
    .flatMap((e) => e.cameras)
    .map((camera) => {
      const zones = zonesOf(camera, terms.confidenceMin).map((z) => ({
        ...z,
        rules: z.rules.map((r) => shortened(r, terms.dwellS)),
      }));
      const script = { street: camera.street, light: camera.light, actors: staging.scripts.get(camera.id)?.actors ?? [] };
      const incidents = cameras.filter((i) => i.camera === camera.id);
      return { id: camera.id, pose: camera.pose, script, zones, incidents, cells: city.cells, components: city.components };
    });
}

/** As the demo's profile leaves it, but for the dwell time. */
const CLEAR_S = 15;
const shortened = (rule: ZoneRule, dwellS: number): ZoneRule => ({ ...rule, dwellS, clearS: CLEAR_S });

function camerasOf(citySeed: number): CityCamera[] {
  return buildDemoCity({ seed: citySeed }).edges.flatMap((e) => e.cameras);
}
