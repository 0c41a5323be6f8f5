import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { hashPassword } from '#ingest/sessions/mod.ts';
import { loadManifest, type ModelManifest } from '#models/mod.ts';
import {
  buildDemoCity,
  CAMERA_USER,
  type City,
  type CityCamera,
  calibrationPoints,
  createStreetRenderer,
  type Secrets,
  type SiteOptions,
  siteOf,
} from '#simulators/mod.ts';
import { edgeYaml, ingestYaml, type SimulateTemplate, simulateYaml } from './templates.ts';
import { randomPassword, randomToken } from './tokens.ts';

/** A whole installation as files: a centre, its edges with their sites, and the simulators that feed it. */
export interface InstallationPlan {
  dir: string;
  city: City;
  /** How simulate.yaml names that city. */
  cityAs: SimulateTemplate['city'];
  /** What of it simulate.yaml plays; all where not given. */
  only?: SimulateTemplate['only'];
  secrets: Secrets;
  profile: 'default' | 'demo';
  ports: {
    api: number;
    centreBroker: number;
    rtsp: number;
    edgeBrokers: readonly number[];
    edgeProbes?: readonly number[] | undefined;
  };
  influxdbUrl?: string | undefined;
  postgresUrl?: string | undefined;
  /** Length of the simulators' script, seconds. */
  durationS: number;
  /** How the edges look at the cameras. */
  looks?: SiteOptions['looks'];
}

export interface Installation {
  ingestFile: string;
  edges: readonly { id: string; file: string; brokerPort: number }[];
  simulateFile: string;
  apiUrl: string;
  /** May read everything and administer; files and dispatches nothing. */
  token: string;
  /** Who may sign in to the console first. The password stands nowhere else. */
  administrator: { name: string; password: string };
}

export const CITY = { cells: 12, sensors: 60, cameras: 4 } as const;

/** The small city of the demo and of `gewu init`, with new random secrets. */
export function smallCity(seed: number, edges: number): Pick<InstallationPlan, 'city' | 'cityAs' | 'secrets'> {
  return {
    city: buildDemoCity({ seed, edges, ...CITY }),
    cityAs: { edges, ...CITY },
    secrets: { password: randomPassword, token: randomToken },
  };
}

export const SHIPPED_MODEL = join(import.meta.dirname, '../../models/street-drawn');
/**
 * The manifest's thresholds are for a single picture; a zone looks at a track's smoothed score over the dwell time, which errs less.
 * Measured on the cameras of cities 11, 12 and 13: standing things have a median of 0.62 and more, what persists and is nothing 0.53 and less.
 */
const ZONE_CONFIDENCE = 0.85;

/** Score that a track of a class keeps before a zone raises an event: what was chosen on quiet streets, where that was done. */
export function zoneConfidence({ alarmThresholds, thresholds }: ModelManifest, detects: string): number {
  return alarmThresholds?.[detects] ?? Math.round((thresholds[detects] ?? 1) * ZONE_CONFIDENCE * 100) / 100;
}

/** As many fit the default limit of the centre's broker; a lost connection lingers beside the new one. */
const EDGES_USUAL = 500;
const CLIENTS_PER_EDGE = 4;

/** Writes it. */
export async function writeInstallation(plan: InstallationPlan): Promise<Installation> {
  const { dir, city, profile, ports, secrets } = plan;
  await mkdir(dir, { recursive: true });
  const { manifest } = await loadManifest(SHIPPED_MODEL);
  const rtspPassword = secrets.password('rtsp');
  const write = async (name: string, text: string) => {
    // The files hold passwords.
    await writeFile(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };

  const edges = [];
  for (const [i, { id }] of city.edges.entries()) {
    const access = (camera: CityCamera) => ({
      url: `rtsp://127.0.0.1:${ports.rtsp}/${camera.id}`,
      username: CAMERA_USER,
      password: rtspPassword,
      calibration: { points: calibrationPoints(camera.pose, createStreetRenderer(camera.street, camera.pose)) },
    });
    const site = siteOf(city, id, {
      access,
      confidenceMin: (detects) => zoneConfidence(manifest, detects),
      ...(plan.looks === undefined ? {} : { looks: plan.looks }),
    });
    const siteFile = `${id}.site.yaml`;
    await write(
      siteFile,
      `# What ${id} is in charge of: unit grids, components, sensors, cameras.\n${stringify(site, { lineWidth: 0, aliasDuplicateObjects: false })}`,
    );
    edges.push({
      id,
      password: secrets.password(id),
      siteFile,
      brokerPort: ports.edgeBrokers[i] as number,
      probesPort: ports.edgeProbes?.[i],
    });
  }
  for (const e of edges)
    await write(
      `${e.id}.yaml`,
      edgeYaml({ ...e, profile, centreBrokerPort: ports.centreBroker, apiPort: ports.api, dataDir: `./data/${e.id}` }),
    );
  const token = secrets.token('ops');
  const administrator = { name: 'admin', password: secrets.password('admin') };
  const tokens = [
    { name: 'ops', token, roles: ['administrator', 'ops', 'viewer'] },
    { name: 'supervision-officer', token: secrets.token('supervision-officer'), roles: ['viewer', 'supervision'] },
    { name: 'command-officer', token: secrets.token('command-officer'), roles: ['viewer', 'command'] },
  ];
  const ingestFile = await write(
    'ingest.yaml',
    ingestYaml({
      apiPort: ports.api,
      brokerPort: ports.centreBroker,
      clientsMax: edges.length > EDGES_USUAL ? CLIENTS_PER_EDGE * edges.length : undefined,
      edges,
      tokens,
      administrator: { name: administrator.name, passwordHash: await hashPassword(administrator.password, saltOf(secrets)) },
      influxdbUrl: plan.influxdbUrl,
      postgresUrl: plan.postgresUrl,
      dataDir: './data/centre',
    }),
  );
  const simulateFile = await write(
    'simulate.yaml',
    simulateYaml({
      seed: city.seed,
      profile,
      edges,
      rtspPort: ports.rtsp,
      rtspUsername: CAMERA_USER,
      rtspPassword,
      durationS: plan.durationS,
      city: plan.cityAs,
      only: plan.only,
    }),
  );
  return {
    ingestFile,
    edges: edges.map(({ id, brokerPort }) => ({ id, file: join(dir, `${id}.yaml`), brokerPort })),
    simulateFile,
    apiUrl: `http://127.0.0.1:${ports.api}`,
    token,
    administrator,
  };
}

/** As random as the secrets are: those of a city that follows from a seed give the same file again. */
function saltOf({ password }: Secrets): Buffer {
  return createHash('sha256').update(password('salt of the administrator')).digest().subarray(0, 16);
}
