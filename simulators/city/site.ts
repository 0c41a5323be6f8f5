import type { Calibration, Site, SiteCamera } from '#grid/mod.ts';
import type { IncidentClass } from '../cameras/mod.ts';
import type { City, CityCamera, CityEdge } from './types.ts';
import { MARKET_CALENDAR, zonesOf } from './zones.ts';

/** Who the edges are to the simulated cameras. */
export const CAMERA_USER = 'edge';

/** What only the running simulation knows of a camera. */
export interface CameraAccess {
  /** RTSP address without user and password. */
  url: string;
  username: string;
  password: string;
  calibration: Calibration;
}

export interface SiteOptions {
  access(camera: CityCamera): CameraAccess;
  /** From the model's manifest. */
  confidenceMin(detects: IncidentClass): number;
  /** How the edges look at the cameras; two pictures a second and all of them where not given. */
  looks?: Pick<SiteCamera, 'fps' | 'motion'>;
}

/** The site configuration of one edge of the city, with the product's times. Throws RangeError on an unknown edge. */
export function siteOf(city: City, edgeId: string, options: SiteOptions): Site {
  const { cells, components, devices, cameras, groups } = edgeOf(city, edgeId);
  return {
    timeZone: 'Asia/Shanghai',
    cells,
    components,
    devices,
    gateways: [],
    cameras: cameras.map((camera) => siteCamera(camera, options)),
    ...(groups.length > 0 ? { groups } : {}),
    ...(cameras.some((c) => c.market) ? { calendars: { [MARKET_CALENDAR]: [] } } : {}),
  };
}

export function edgeOf(city: City, edgeId: string): CityEdge {
  const edge = city.edges.find((e) => e.id === edgeId);
  if (edge === undefined) throw new RangeError(`the city has no edge ${edgeId}`);
  return edge;
}

function siteCamera(camera: CityCamera, { access, confidenceMin, looks = { fps: 2 } }: SiteOptions): SiteCamera {
  const { id, component, pose } = camera;
  return {
    id,
    ...access(camera),
    lon: pose.lon,
    lat: pose.lat,
    component,
    allowLocalAddress: true,
    simulated: true,
    ...looks,
    transport: 'tcp',
    zones: zonesOf(camera, confidenceMin),
  };
}
