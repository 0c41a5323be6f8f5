import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  applyZoneProfile,
  type CellIndex,
  createCellIndex,
  type Profile,
  type Site,
  type SiteCamera,
  type WallTime,
  wallClock,
} from '#grid/mod.ts';
import { type ModelManifest, PERSON_CLASS } from '#models/mod.ts';
import type { Clock, Log } from '#service/mod.ts';
import type { CaseStates, EventSink } from '../events.ts';
import { CameraMemory, EventReporter, type Ground, groundOf, type Incident, Locator, ZoneWatch } from '../vision/mod.ts';
import { lookMs, pictureMs } from './source.ts';

/** What a camera's detections mean by the site's configuration; another one takes its place when that changes. */
export interface Meaning {
  /** Its zones are those in force. */
  camera: SiteCamera;
  surroundings: Surroundings;
  /** Of the model whose detections they are. */
  manifest: ModelManifest;
  ground: Ground;
  watch: ZoneWatch;
  reporter: (evidence: ConstructorParameters<typeof EventReporter>[0]['evidence']) => EventReporter;
}

/** What a site's cameras share of it. */
export interface Surroundings {
  site: Pick<Site, 'timeZone' | 'cells' | 'components' | 'calendars'>;
  cells: CellIndex;
  wall: (utcMs: number) => WallTime;
}

export function surroundingsOf(site: Site): Surroundings {
  return { site, cells: createCellIndex(site.cells), wall: wallClock(site.timeZone) };
}

export interface MeaningDeps {
  edgeId: string;
  profile: Profile;
  manifest: ModelManifest;
  /** It looks in shadow beside the model in use. */
  candidate?: boolean;
  /** Of the cameras' memories. */
  dir: string;
  events: EventSink;
  caseStates: CaseStates;
  clock: Clock;
  log: Log;
}

/** Throws GewuError where the calibration determines no ground. */
export function meaningOf(camera: SiteCamera, surroundings: Surroundings, deps: MeaningDeps): Meaning {
  const { edgeId, profile, manifest, candidate = false, dir, events, caseStates, clock, log } = deps;
  const ground = groundOf(camera);
  const inForce = { ...camera, zones: zonesInForce(camera, profile, manifest, log) };
  const { calendars } = surroundings.site;
  const watch = new ZoneWatch({ zones: inForce.zones, frameMs: lookMs(camera), pictureMs: pictureMs(camera), calendars });
  const locator = new Locator({ ground, cells: surroundings.cells, components: surroundings.site.components });
  const memory = new CameraMemory({ dir, camera: camera.id, view: viewOf(camera, manifest), log });
  const reported = {
    camera: inForce,
    edgeId,
    model: { ...manifest, candidate },
    ground,
    locator,
    watch,
    memory,
    events,
    cases: caseStates,
    clock,
    log,
  };
  return {
    camera: inForce,
    surroundings,
    manifest,
    ground,
    watch,
    reporter: (evidence) => new EventReporter({ ...reported, evidence }),
  };
}

/** Another model finds other things, a camera that was measured anew may look elsewhere, and another address may be another camera. */
function viewOf({ calibration, url, streams, file }: SiteCamera, { sha256 }: ModelManifest): string {
  return createHash('sha256')
    .update(JSON.stringify([sha256, calibration, url, streams, file]))
    .digest('hex');
}

/** Incidents that have no event yet, of zones that are the same in the next meaning, while the ground is too. */
export function stillPending(old: Meaning, next: Meaning): Incident[] {
  if (!isDeepStrictEqual(placeOf(old.camera), placeOf(next.camera))) return [];
  const zone = ({ camera }: Meaning, id: string) => camera.zones.find((z) => z.id === id);
  return old.watch.incidents.filter((i) => i.state === 'pending' && isDeepStrictEqual(zone(old, i.zone), zone(next, i.zone)));
}

const placeOf = ({ lon, lat, calibration }: SiteCamera) => ({ lon, lat, calibration });

/** What of a camera can change while its stream goes on. */
const MEANINGS = [
  'lon',
  'lat',
  'component',
  'calibration',
  'zones',
  'exclude',
  'approvals',
  'personRecall',
] as const satisfies (keyof SiteCamera)[];

/** Whether both are the same but for what their detections mean. */
export function isSameStream(a: SiteCamera, b: SiteCamera): boolean {
  const stream = (camera: SiteCamera) => Object.entries(camera).filter(([key]) => !MEANINGS.some((m) => m === key));
  return isDeepStrictEqual(new Map(stream(a)), new Map(stream(b)));
}

export function isSameSurroundings({ site: a }: Surroundings, { site: b }: Surroundings): boolean {
  const shared = ({ timeZone, cells, components, calendars }: Surroundings['site']) => ({
    timeZone,
    cells,
    components,
    calendars,
  });
  return isDeepStrictEqual(shared(a), shared(b));
}

/** Keys of the rules whose class a model does not know, as the desired state has them. */
export function silentRules(cameras: readonly SiteCamera[], { classes }: Pick<ModelManifest, 'classes'>): string[] {
  return cameras.flatMap(({ id, zones }) =>
    zones.flatMap(({ rules }, j) =>
      rules.flatMap(({ detects }, k) => (classes.includes(detects) ? [] : [`cameras.${id}.zones.${j}.rules.${k}`])),
    ),
  );
}

/** Clear times up to this are not shortened by a profile, seconds. */
const CLEAR_S_KEPT = 15;

/** The rules that the model can serve, with the profile's dwell times. People are never an event class. */
function zonesInForce(camera: SiteCamera, profile: Profile, { classes }: ModelManifest, log: Log): SiteCamera['zones'] {
  const served = (zone: string, { id, detects }: { id: string; detects: string }): boolean => {
    const known = detects !== PERSON_CLASS && classes.includes(detects);
    if (!known)
      log.error({ camera: camera.id, zone, rule: id, detects }, 'the model has no such event class: the rule is left out');
    return known;
  };
  return camera.zones.map((zone) => {
    const rules = zone.rules.filter((rule) => served(zone.id, rule));
    // A bus before the lens hides a thing for longer than a sensor ever errs: a short profile keeps so much to clear.
    const clearS = (n: number): number => Math.min(rules[n]?.clearS ?? 0, CLEAR_S_KEPT);
    const shortened = applyZoneProfile(rules, profile).map((rule, n) => ({ ...rule, clearS: Math.max(rule.clearS, clearS(n)) }));
    return { ...zone, rules: shortened };
  });
}
