import { type Static, Type } from 'typebox';
import { PROFILES } from '#grid/mod.ts';
import { type ConfigMistake, checkConfig, readConfigFile } from '#service/mod.ts';
import { buildDemoCity, buildDistrict, type City } from './city/mod.ts';

const strict = { additionalProperties: false } as const;

/** What `simulate.yaml` may say. */
export const SimulateConfig = Type.Object(
  {
    version: Type.Literal(1),
    /** The same seed gives the same city and the same incidents. */
    seed: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 }),
    /** That of the edges: the truth tells when a confirm or dwell time was complete. */
    profile: Type.Enum(PROFILES, { default: 'demo' }),
    city: Type.Object(
      {
        /** `demo`: two rows of unit grids; `district`: what `gewu simulate city` makes. */
        layout: Type.Enum(['demo', 'district'], { default: 'demo' }),
        edges: Type.Integer({ minimum: 1, maximum: 500, default: 2 }),
        cells: Type.Integer({ minimum: 2, maximum: 50_000, default: 12 }),
        sensors: Type.Integer({ minimum: 0, maximum: 100_000, default: 60 }),
        cameras: Type.Integer({ minimum: 0, maximum: 200, default: 4 }),
        /** South-west corner, WGS-84, and county-level division; of the layout where not given. */
        originLon: Type.Optional(Type.Number({ minimum: -180, maximum: 180 })),
        originLat: Type.Optional(Type.Number({ minimum: -85, maximum: 85 })),
        division: Type.Optional(Type.String({ pattern: '^[0-9]{6}$' })),
      },
      strict,
    ),
    /** Length of the script; at its end nothing new begins. None: it goes on for ever. */
    durationS: Type.Optional(Type.Number({ minimum: 1, maximum: 86_400 })),
    /** Each sensor reports so often. */
    intervalS: Type.Number({ minimum: 0.1, maximum: 3600, default: 1 }),
    /** Of each edge, for its devices. */
    brokers: Type.Record(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
      Type.String({ pattern: '^mqtts?://', maxLength: 512 }),
    ),
    rtsp: Type.Object(
      {
        host: Type.String({ default: '127.0.0.1', maxLength: 253 }),
        port: Type.Integer({ minimum: 0, maximum: 65_535 }),
        username: Type.String({ minLength: 1, maxLength: 64 }),
        password: Type.String({ minLength: 8, maxLength: 128 }),
      },
      strict,
    ),
    /** Only a part of it. */
    only: Type.Optional(Type.Enum(['sensors', 'cameras'])),
  },
  strict,
);
export type SimulateConfig = Static<typeof SimulateConfig>;

/** Throws GEWU_CONFIG_UNREADABLE, GEWU_CONFIG_INVALID. */
export async function loadSimulateConfig(file: string): Promise<SimulateConfig> {
  return checkConfig(file, SimulateConfig, await readConfigFile(file), simulateMistakes);
}

/** Throws RangeError on numbers that do not fit together. */
export function cityOfConfig({ seed, city: { layout, ...options } }: Pick<SimulateConfig, 'seed' | 'city'>): City {
  return (layout === 'demo' ? buildDemoCity : buildDistrict)({ seed, ...options });
}

/** What the schema cannot say: a city that can be built, and a broker for each of its edges. */
function simulateMistakes({ seed, city, brokers }: SimulateConfig): ConfigMistake[] {
  let edges: string[];
  try {
    edges = cityOfConfig({ seed, city }).edges.map((e) => e.id);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ key: 'city', value: city, message: error.message }];
  }
  const missing = edges
    .filter((id) => !Object.hasOwn(brokers, id))
    .map((id) => ({ key: `brokers.${id}`, value: undefined, message: 'the devices of this edge have no broker' }));
  const unknown = Object.entries(brokers)
    .filter(([id]) => !edges.includes(id))
    .map(([id, value]) => ({ key: `brokers.${id}`, value, message: `the city has no such edge, only ${edges.join(', ')}` }));
  return [...missing, ...unknown];
}
