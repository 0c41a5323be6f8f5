import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { PROFILES, type Profile } from '#grid/mod.ts';
import { checkConfig, GewuError } from '#service/mod.ts';
import { CityPlan, cityFiles, cityOf, cityPlanMistakes, seededSecrets } from '#simulators/mod.ts';
import { madeDir, parseFlags, parseInteger, print, say } from '../command.ts';
import { type Installation, writeInstallation } from '../installation/mod.ts';

const CELLS_PER_EDGE = 207;
const SENSORS_PER_CELL = 10;
const CAMERAS_MAX = 24;
/** From the API's port: the centre's broker, the cameras, the first edge; behind all of these their probes. */
const PORTS = { centreBroker: 1, rtsp: 2, firstEdge: 10 } as const;

/**
 * What a district with dozens of cameras on small machines chooses: a picture a second, and the detector only where something
 * has moved. docs/simulators.md has what it costs.
 */
const LOOKS = { fps: 1, motion: { levels: 24, cells: 12, lookEveryS: 2 } };

export const CITY_USAGE = `gewu simulate city --out DIR [--cells 1652] [--seed 7] [--edges N] [--sensors N] [--cameras N]
                           [--division 110101] [--profile default|demo] [--port 20080]`;

const text = { type: 'string' } as const;
/** What says which district is meant. */
export const CITY_FLAGS = {
  cells: text,
  seed: text,
  edges: text,
  sensors: text,
  cameras: text,
  division: text,
  profile: text,
  port: text,
} as const;
type CityValues = { [name in keyof typeof CITY_FLAGS]?: string | undefined };

/** Flags of the city to its plan; what is not said follows from the number of unit grids. Throws GEWU_USAGE. */
export function planOf(values: CityValues): CityPlan {
  const number = (name: keyof CityValues, preset: number, min: number, max: number) =>
    parseInteger(name, values[name] ?? String(preset), min, max);
  const cells = number('cells', 1652, 4, 50_000);
  const edges = number('edges', Math.max(1, Math.round(cells / CELLS_PER_EDGE)), 1, 5_000);
  const api = number('port', 20_080, 1, 60_000);
  const profile = PROFILES.find((p) => p === (values.profile ?? 'default'));
  if (profile === undefined) throw new GewuError('GEWU_USAGE', `--profile ${values.profile}: default or demo is wanted`);
  return {
    version: 1,
    district: {
      seed: number('seed', 7, 0, 2 ** 32 - 1),
      cells,
      edges,
      sensors: number('sensors', SENSORS_PER_CELL * cells, 0, 500_000),
      cameras: number('cameras', Math.min(CAMERAS_MAX, cells), 0, 1_000),
      division: values.division ?? '110101',
      originLon: 116.38,
      originLat: 39.88,
    },
    profile: profile satisfies Profile,
    host: '127.0.0.1',
    ports: {
      api,
      centreBroker: api + PORTS.centreBroker,
      rtsp: api + PORTS.rtsp,
      edgeBrokers: Array.from({ length: edges }, (_, i) => api + PORTS.firstEdge + i),
      edgeProbes: Array.from({ length: edges }, (_, i) => api + PORTS.firstEdge + edges + i),
    },
  };
}

/** All that an installation of this city listens on. */
export function portsOf({ ports }: CityPlan): number[] {
  const { edgeBrokers, edgeProbes = [], ...others } = ports;
  return [...Object.values(others), ...edgeBrokers, ...edgeProbes];
}

/** Writes a district with all that belongs to it. Throws GEWU_USAGE, GEWU_CONFIG_INVALID. */
export async function writeCity(dir: string, plan: CityPlan): Promise<Installation> {
  checkConfig('city.yaml', CityPlan, plan, cityPlanMistakes);
  const city = cityOf(plan);
  await mkdir(dir, { recursive: true });
  const head = '# What this city and its installation follow from; their secrets, too: for tests only.\n';
  await writeFile(join(dir, 'city.yaml'), head + stringify(plan));
  const files = cityFiles(city);
  for (const { name, text } of files) await writeFile(join(dir, name), text);
  const { seed, ...cityAs } = plan.district;
  return writeInstallation({
    dir,
    city,
    cityAs: { layout: 'district', ...cityAs },
    only: 'cameras',
    secrets: seededSecrets(seed),
    profile: plan.profile,
    ports: plan.ports,
    durationS: 3600,
    looks: LOOKS,
  });
}

export async function city(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, { out: text, ...CITY_FLAGS });
  const dir = await emptyDir(values.out);
  const plan = planOf(values);
  say('gewu: making the city ...');
  const written = await writeCity(dir, plan);
  const { cells, edges, sensors, cameras } = plan.district;
  say(`gewu: ${cells} unit grids, ${edges} edges, ${sensors} sensors, ${cameras} cameras. Start, each by itself:`);
  print(`./gewu ingest --config ${written.ingestFile}`);
  for (const { file } of written.edges) print(`./gewu edge --config ${file}`);
  return 0;
}

/** The folder of `--out`, which need not exist. Throws GEWU_USAGE. */
export async function emptyDir(out: string | undefined): Promise<string> {
  if (out === undefined) throw new GewuError('GEWU_USAGE', '--out DIR is needed');
  const dir = await madeDir('out', out);
  if ((await readdir(dir)).length > 0) throw new GewuError('GEWU_USAGE', `${dir} is not empty`);
  return dir;
}
