import type { Profile } from '#grid/mod.ts';
import type { Actor, StreetScript } from '../../cameras/mod.ts';
import type { CameraIncident, City, SensorIncident } from '../types.ts';
import { CameraDirector } from './cameras.ts';
import { sensorIncidents } from './sensors.ts';

/** Before the end of a run nothing new begins for so long: dwell, evidence and recovery must fit. */
const TAIL_MS = 25_000;
/** Actors stay in a script for so long after they have gone: a camera may be a little late. */
const GONE_MS = 10_000;
const DEVICE_INTERVAL_MS = 1_000;

export interface StagingOptions {
  seed: number;
  /** Of the devices' reports. */
  intervalMs?: number;
  /** That of the edges; `demo` where not given. */
  profile?: Profile;
}

/** What came new by one `advance`. */
export interface StagedRound {
  sensors: SensorIncident[];
  cameras: CameraIncident[];
}

/**
 * The demo's script, made as time goes: for an unattended run all at once, for an open one a little ahead of the clock.
 * `scripts` are live: `advance` adds to their actors and takes away those that have long gone.
 */
export interface Staging {
  /** By camera id; hand them to the simulated cameras. */
  readonly scripts: ReadonlyMap<string, StreetScript>;
  /** Stages what begins before `untilMs`. Incidents begin only where they stand complete before `standsBeforeMs` (default: no limit). */
  advance(untilMs: number, standsBeforeMs?: number): StagedRound;
  /** Forgets actors that left before `beforeMs`; for runs without an end. */
  forget(beforeMs: number): void;
}

export function createStaging(city: City, { seed, intervalMs = DEVICE_INTERVAL_MS, profile = 'demo' }: StagingOptions): Staging {
  const cameras = city.edges.flatMap((e) => e.cameras).sort((a, b) => a.id.localeCompare(b.id));
  const directors = cameras.map((camera, number) => new CameraDirector(camera, { number, seed, profile }));
  const actors = new Map(directors.map((d) => [d.camera.id, [...d.fixed]]));
  const scripts = new Map(
    cameras.map(({ id, street, light }): [string, StreetScript] => [id, { street, light, actors: actors.get(id) ?? [] }]),
  );
  const sensors = sensorIncidents(city, seed, { intervalMs, profile });
  let waiting = sensors.next();
  return {
    scripts,
    advance(untilMs, standsBeforeMs = Number.POSITIVE_INFINITY) {
      const round: StagedRound = { sensors: [], cameras: [] };
      while (!waiting.done && waiting.value.fromMs < Math.min(untilMs, standsBeforeMs)) {
        round.sensors.push(waiting.value);
        waiting = sensors.next();
      }
      for (const director of directors) {
        const { actors: more, incidents } = director.advance(untilMs, standsBeforeMs);
        actors.get(director.camera.id)?.push(...more);
        round.cameras.push(...incidents);
      }
      round.cameras.sort((a, b) => a.standsFromMs - b.standsFromMs);
      return round;
    },
    forget(beforeMs) {
      for (const list of actors.values()) {
        const kept = list.filter((a) => leavesMs(a) >= beforeMs - GONE_MS);
        if (kept.length < list.length) list.splice(0, list.length, ...kept);
      }
    },
  };
}

function leavesMs(actor: Actor): number {
  if ('path' in actor) return actor.path.at(-1)?.atMs ?? 0;
  return actor.stay.toMs ?? Number.POSITIVE_INFINITY;
}

export interface DemoScript {
  durationMs: number;
  /** By camera id. */
  scripts: ReadonlyMap<string, StreetScript>;
  sensors: SensorIncident[];
  cameras: CameraIncident[];
}

/** All that happens in an unattended run of `durationS`; the last incident is complete 25 s before its end. */
export function demoScript(city: City, { durationS, ...options }: StagingOptions & { durationS: number }): DemoScript {
  const durationMs = durationS * 1000;
  const staging = createStaging(city, options);
  const { sensors, cameras } = staging.advance(durationMs, durationMs - TAIL_MS);
  return { durationMs, scripts: staging.scripts, sensors, cameras };
}
