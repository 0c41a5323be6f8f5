import { momentOf } from '#bench/tracking/mod.ts';
import { distanceM, standsIn } from '#edge/vision/mod.ts';
import { createStreetRenderer, truthOf } from '#simulators/cameras/mod.ts';
import { EVENTFUL_MS } from '#simulators/city/mod.ts';
import { print } from '../command.ts';
import { zoneConfidence } from '../installation/mod.ts';
import { eachHour, type QuietPlan, type SeenHour } from './quiet_hours.ts';
import { judgedBy, raisedIn } from './quiet_judge.ts';

/** An event is of the thing that it lies so near to. */
const SAME_M = 3;
/** Less of a thing is no fair test: another one hides it all the time. */
const VISIBLE_MIN = 0.3;

/** The line that a run ends with. */
export interface ThingFigures {
  cameraHours: number;
  everyS: number;
  perClass: Record<string, { things: number; raised: number; share: number }>;
}

/** Prints which share of what comes to quiet streets, in every light, is raised at the scores that the model's zones ask for. */
export async function things(plan: QuietPlan, json: boolean): Promise<number> {
  const figures = await runThings(plan);
  print(json ? JSON.stringify(figures) : JSON.stringify(figures, null, 2));
  return 0;
}

export async function runThings(plan: QuietPlan): Promise<ThingFigures> {
  const counts = new Map<string, { things: number; raised: number }>();
  await eachHour(plan, (hour) => {
    for (const { detects, isRaised } of outcomes(hour, plan.everyS)) {
      const count = counts.get(detects) ?? { things: 0, raised: 0 };
      counts.set(detects, { things: count.things + 1, raised: count.raised + Number(isRaised) });
    }
  });
  const perClass = [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([detects, { things: all, raised }]) => {
      return [detects, { things: all, raised, share: Math.round((raised / all) * 1000) / 1000 }] as const;
    });
  return { cameraHours: plan.hours, everyS: plan.everyS, perClass: Object.fromEntries(perClass) };
}

/** Of each thing that stands in a zone for its class, and is seen: whether its event was raised. */
function outcomes(hour: SeenHour, everyS: number): { detects: string; isRaised: boolean }[] {
  const { view, manifest } = hour;
  const confidenceMin = (detects: string): number => zoneConfidence(manifest, detects);
  const { zones, ground } = judgedBy(hour, confidenceMin);
  const raised = raisedIn(hour, { everyS, confidenceMin });
  const picture = createStreetRenderer(view.script.street, view.pose).render(momentOf(view.script, EVENTFUL_MS - 1000));
  const visible = new Map(picture.truth.map((t) => [t.id, t.visible]));
  return truthOf(view.script).flatMap((thing) => {
    const point = ground.toPoint(thing);
    const foot = ground.pixelOf(point);
    const isWatched = (zone: (typeof zones)[0]): boolean =>
      foot !== null && zone.rules.some((r) => r.detects === thing.detects) && standsIn(zone.polygon, foot);
    if ((visible.get(thing.id) ?? 0) < VISIBLE_MIN || !zones.some(isWatched)) return [];
    const isOfThing = ({ incident: i }: (typeof raised)[0]): boolean =>
      i.rule.detects === thing.detects && distanceM(i.point, point) <= Math.max(SAME_M, i.errorRadiusM);
    return [{ detects: thing.detects, isRaised: raised.some(isOfThing) }];
  });
}
