import type { CameraIncident, SensorIncident } from '../city/mod.ts';
import type { Told } from '../devices/mod.ts';
import type { StagedTruth } from './match.ts';

/**
 * What sensors were made to say, as truth; an incident begins with the first wrong sample (docs/decisions/003-demo.md).
 * Those that no device has told, and repeats of what the city knows already, are left out.
 */
export function sensorTruth(incidents: readonly SensorIncident[], told: ReadonlyMap<string, Told>): StagedTruth[] {
  return incidents.flatMap((incident) => {
    const { id, class: eventClass, component, lon, lat, repeats } = incident;
    const when = told.get(id);
    if (when === undefined || repeats) return [];
    return [
      {
        id,
        source: 'sensor',
        class: eventClass,
        component,
        lon,
        lat,
        standsFrom: when.firstAt,
        standsTo: when.lastAt,
        confirmMs: confirmedMs(incident, when),
      },
    ];
  });
}

/**
 * From the first wrong sample to the moment at which the rule has its time and its samples. An alarm comes between two
 * reports: the planned time would be too long for rules that count, and hide as much of the latency.
 */
function confirmedMs({ confirmForMs, confirmSamples, confirmMs }: SensorIncident, { firstAt, times }: Told): number {
  const enoughAt = times[confirmSamples - 1];
  return enoughAt === undefined ? confirmMs : Math.max(confirmForMs, enoughAt - firstAt);
}

/** What stood before cameras, as truth; the script began at `startsAt`, UTC ms. Repeats are left out. */
export function cameraTruth(incidents: readonly CameraIncident[], startsAt: number): StagedTruth[] {
  return incidents
    .filter((i) => !i.repeats)
    .map(({ id, class: eventClass, component, lon, lat, standsFromMs, standsToMs, dwellMs }) => ({
      id,
      source: 'camera',
      class: eventClass,
      ...(component === undefined ? {} : { component }),
      lon,
      lat,
      standsFrom: startsAt + standsFromMs,
      standsTo: startsAt + standsToMs,
      confirmMs: dwellMs,
    }));
}
