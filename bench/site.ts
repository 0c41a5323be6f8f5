import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { localPlane, type Site, type SiteDevice } from '#grid/mod.ts';
import { deviceId } from './load/main.ts';

export const EDGE = 'edge-01';
export const EDGE_PASSWORD = 'edge-password';
export const DEVICE_PASSWORD = 'device-password';
export const CELL = '110101001001001';
export const API_TOKEN = 'gewu_0123456789012345678901';
export const LAMP_PREFIX = 'sl-';
export const COVER_PREFIX = 'mc-';

const SIDE_M = 100;
const plane = localPlane({ lon: 116.42, lat: 39.92 });
const corner = (xM: number, yM: number) => {
  const { lon, lat } = plane.toPosition({ xM, yM });
  return [lon, lat] as [number, number];
};
const SQUARE = [corner(0, 0), corner(SIDE_M, 0), corner(SIDE_M, SIDE_M), corner(0, SIDE_M)];

/** Street lamps in one unit grid; their class is 0118. */
export function lamps(count: number): SiteDevice[] {
  return Array.from({ length: count }, (_, i) => ({
    id: deviceId(LAMP_PREFIX, i),
    kind: 'streetlight',
    secret: DEVICE_PASSWORD,
    component: `1101010118${String(i + 1).padStart(6, '0')}`,
    ...plane.toPosition({ xM: 1 + (i % 97), yM: 1 + ((i * 7) % 97) }),
  }));
}

/** Manhole covers in the same unit grid; their class is 0102. */
export function covers(count: number): SiteDevice[] {
  return Array.from({ length: count }, (_, i) => ({
    id: deviceId(COVER_PREFIX, i),
    kind: 'manhole_cover',
    secret: DEVICE_PASSWORD,
    component: `1101010102${String(i + 1).padStart(6, '0')}`,
    ...plane.toPosition({ xM: 1 + (i % 97), yM: 1 + ((i * 11) % 97) }),
  }));
}

const siteOf = (devices: SiteDevice[]): Partial<Site> => ({ cells: [{ code: CELL, polygon: SQUARE }], devices });

export interface EdgeFileOptions {
  dir: string;
  devices: SiteDevice[];
  /** In place of the one unit grid with the devices. */
  site?: Partial<Site> | undefined;
  brokerPort: number;
  centreBrokerPort: number;
  apiPort?: number;
  /** Of `/metrics`; none when left out. */
  probePort?: number;
}

/** Writes an edge's configuration; limits as shipped, but for one device's rate, because a bench has few that speak much. */
export async function writeEdgeFile({
  dir,
  devices,
  site = siteOf(devices),
  brokerPort,
  centreBrokerPort,
  apiPort = 9,
  probePort,
}: EdgeFileOptions): Promise<string> {
  const file = join(dir, 'edge.yaml');
  const config = {
    version: 1,
    edge: { id: EDGE, dataDir: join(dir, 'edge') },
    broker: { port: brokerPort, limits: { messagesPerSPerClientMax: 1_000_000 } },
    uplink: {
      url: `mqtt://127.0.0.1:${centreBrokerPort}`,
      password: EDGE_PASSWORD,
      apiUrl: `http://127.0.0.1:${apiPort}`,
    },
    ...(probePort === undefined ? {} : { probes: { port: probePort } }),
    site,
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  return file;
}

export interface CentreFileOptions {
  dir: string;
  brokerPort: number;
  apiPort: number;
  devices: SiteDevice[];
  /** In place of the one unit grid with the devices. */
  site?: Partial<Site> | undefined;
  /** Edges beside the first one, which have no devices. */
  moreEdges?: readonly string[];
  /** `timeseries`, `database`, as in `ingest.yaml`; embedded when left out. */
  stores?: object;
}

export async function writeCentreFile({
  dir,
  brokerPort,
  apiPort,
  devices,
  site = siteOf(devices),
  moreEdges = [],
  stores = {},
}: CentreFileOptions): Promise<string> {
  const file = join(dir, 'ingest.yaml');
  const config = {
    version: 1,
    centre: { dataDir: join(dir, 'centre') },
    api: { port: apiPort, tokens: [{ name: 'bench', token: API_TOKEN, roles: ['administrator', 'ops', 'viewer'] }] },
    broker: { embedded: { port: brokerPort } },
    edges: [
      { id: EDGE, password: EDGE_PASSWORD, site },
      ...moreEdges.map((id) => ({ id, password: EDGE_PASSWORD, site: { ...site, devices: [] } })),
    ],
    ...stores,
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}
