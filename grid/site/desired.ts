import { type Static, Type } from 'typebox';
import { ID_PATTERN } from '../ids.ts';
import { Calendars } from '../rules/mod.ts';
import { type SiteMistake, siteMistakes } from './mistakes.ts';
import { type Site, SiteCamera, SiteMaintenance } from './site.ts';

const strict = { additionalProperties: false } as const;
const { zones, exclude, calibration, fps, approvals, personRecall } = SiteCamera.properties;

/**
 * What the centre may set of a camera; a part that is not given stays as the edge's own file has it. Never its address, user or
 * password: a centre that was broken into must not be able to point an edge at other hosts, and secrets stay where they are used
 * (docs/decisions/010-desired-state.md).
 */
export const DesiredCamera = Type.Object(
  {
    zones: Type.Optional(zones),
    exclude: Type.Optional(exclude),
    calibration: Type.Optional(calibration),
    fps: Type.Optional(fps),
    approvals: Type.Optional(approvals),
    personRecall: Type.Optional(personRecall),
  },
  strict,
);
export type DesiredCamera = Static<typeof DesiredCamera>;
export const DESIRED_CAMERA_PARTS = Object.keys(DesiredCamera.properties) as (keyof DesiredCamera)[];

export const DesiredModel = Type.Object(
  {
    /** SHA-256 of the package, hex. */
    package: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Rules whose class it does not know fall silent; otherwise it is refused. */
    silentRules: Type.Optional(Type.Boolean()),
  },
  strict,
);
export type DesiredModel = Static<typeof DesiredModel>;

/** A model that looks in shadow beside the one in use: what it finds is recorded and opens no case. */
export const DesiredCandidate = Type.Object(
  {
    /** SHA-256 of the package, hex. */
    package: DesiredModel.properties.package,
    /** Cameras that it looks at; all where it does not say. */
    cameras: Type.Optional(Type.Array(Type.String({ pattern: ID_PATTERN }), { minItems: 1, maxItems: 200 })),
  },
  strict,
);
export type DesiredCandidate = Static<typeof DesiredCandidate>;

/** What the centre wants of an edge, over the edge's own file. An empty one is that file alone. */
export const DesiredState = Type.Object(
  {
    /** By camera id. */
    cameras: Type.Optional(Type.Record(Type.String({ pattern: ID_PATTERN }), DesiredCamera, { ...strict, maxProperties: 200 })),
    /** Instead of all maintenance windows of the file. */
    maintenance: Type.Optional(Type.Array(SiteMaintenance, { maxItems: 1000 })),
    /** By name, instead of the file's calendar of that name: holidays, days of a permitted market. */
    calendars: Type.Optional(Calendars),
    /** Instead of the model that the edge's own file names. */
    model: Type.Optional(DesiredModel),
    candidate: Type.Optional(DesiredCandidate),
  },
  strict,
);
export type DesiredState = Static<typeof DesiredState>;

/** The site as its file and the desired state together have it, and the cameras that are named and are not there. */
export function withDesired(
  site: Site,
  { cameras = {}, maintenance, calendars }: DesiredState,
): { site: Site; unknownCameras: string[] } {
  const known = new Set(site.cameras.map((c) => c.id));
  return {
    site: {
      ...site,
      cameras: site.cameras.map((camera) => ({ ...camera, ...(Object.hasOwn(cameras, camera.id) ? cameras[camera.id] : {}) })),
      ...(maintenance === undefined ? {} : { maintenance }),
      ...(calendars === undefined ? {} : { calendars: { ...site.calendars, ...calendars } }),
    },
    unknownCameras: Object.keys(cameras).filter((id) => !known.has(id)),
  };
}

/**
 * What is wrong with a desired state for this site: the checks of `gewu validate`, with keys of the desired state
 * (`cameras.cam-1.zones.0.rules.1.raises.event`). Mistakes of the file itself are not told.
 */
export function desiredMistakes(site: Site, desired: DesiredState): SiteMistake[] {
  const { site: merged, unknownCameras } = withDesired(site, desired);
  const none = 'the edge has no such camera';
  const unknown = unknownCameras.map((id) => ({ key: `cameras.${id}`, value: id, message: none }));
  const unwatched = (desired.candidate?.cameras ?? []).flatMap((id, n): SiteMistake[] =>
    site.cameras.some((c) => c.id === id) ? [] : [{ key: `candidate.cameras.${n}`, value: id, message: none }],
  );
  const own = siteMistakes(merged).flatMap((mistake): SiteMistake[] => {
    const key = desiredKey(merged, desired, mistake.key);
    return key === null ? [] : [{ ...mistake, key }];
  });
  return [...unknown, ...unwatched, ...own];
}

/** Key of a site as a key of the desired state; null for what the desired state does not set. */
function desiredKey({ cameras }: Site, desired: DesiredState, key: string): string | null {
  const [list, index, part] = key.split('.');
  if (list === 'maintenance') return desired.maintenance === undefined ? null : key;
  if (list === 'calendars') return Object.hasOwn(desired.calendars ?? {}, index ?? '') ? key : null;
  const id = list === 'cameras' ? cameras[Number(index)]?.id : undefined;
  const camera = id !== undefined && Object.hasOwn(desired.cameras ?? {}, id) ? desired.cameras?.[id] : undefined;
  if (camera === undefined || part === undefined || camera[part as keyof DesiredCamera] === undefined) return null;
  return `cameras.${id}.${key.split('.').slice(2).join('.')}`;
}
