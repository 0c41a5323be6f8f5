import { toWgs84 } from '../street/mod.ts';
import type { IncidentClass, StreetScript } from './actor.ts';
import { stanceAt } from './scene_at.ts';

/** One staged incident as a perfect observer would report it. Times are ms from the script's beginning. */
export interface StagedIncident {
  id: string;
  detects: IncidentClass;
  xM: number;
  yM: number;
  lon: number;
  lat: number;
  standsFromMs: number;
  standsToMs: number;
}

/** All incidents of a script by the time they stand. Throws when one does not stand where it says it does. */
export function truthOf(script: StreetScript): StagedIncident[] {
  const { originLon, originLat } = script.street;
  const truth: StagedIncident[] = [];
  for (const actor of script.actors) {
    if (!('incident' in actor)) continue;
    const { id, class: detects, standsFromMs, standsToMs } = actor.incident;
    const at = stanceAt(actor, standsFromMs);
    const end = stanceAt(actor, standsToMs - 1);
    if (at === null || end === null || Math.hypot(end.xM - at.xM, end.yM - at.yM) > 0.01)
      throw new RangeError(`incident ${id} does not stand from ${standsFromMs} to ${standsToMs} ms`);
    const [lon, lat] = toWgs84(at.xM, at.yM, originLon, originLat);
    truth.push({ id, detects, xM: at.xM, yM: at.yM, lon, lat, standsFromMs, standsToMs });
  }
  return truth.sort((a, b) => a.standsFromMs - b.standsFromMs);
}
