import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { PROFILES } from '#grid/mod.ts';
import { type ConfigMistake, checkConfig, readConfigFile } from '#service/mod.ts';
import { buildDistrict } from './city.ts';
import type { City } from './types.ts';

const strict = { additionalProperties: false } as const;
const Port = Type.Integer({ minimum: 1, maximum: 65_535 });

/**
 * What `city.yaml` says: all that a district and its installation follow from, so that a generator on another machine knows
 * every device, secret and address of it.
 */
export const CityPlan = Type.Object(
  {
    version: Type.Literal(1),
    district: Type.Object(
      {
        seed: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 }),
        cells: Type.Integer({ minimum: 4, maximum: 50_000, default: 1652 }),
        edges: Type.Integer({ minimum: 1, maximum: 5_000, default: 8 }),
        sensors: Type.Integer({ minimum: 0, maximum: 500_000, default: 16_520 }),
        cameras: Type.Integer({ minimum: 0, maximum: 1_000, default: 24 }),
        division: Type.String({ pattern: '^[0-9]{6}$', default: '110101' }),
        originLon: Type.Number({ minimum: -180, maximum: 180, default: 116.38 }),
        originLat: Type.Number({ minimum: -85, maximum: 85, default: 39.88 }),
      },
      strict,
    ),
    /** Of the edges: confirm and dwell times. */
    profile: Type.Enum(PROFILES, { default: 'default' }),
    /** Where all of it listens. */
    host: Type.String({ default: '127.0.0.1', maxLength: 253 }),
    ports: Type.Object(
      {
        api: Port,
        centreBroker: Port,
        rtsp: Port,
        edgeBrokers: Type.Array(Port, { maxItems: 5_000 }),
        /** `/metrics` of each edge; what an edge uses is not told where not given. */
        edgeProbes: Type.Optional(Type.Array(Port, { maxItems: 5_000 })),
      },
      strict,
    ),
  },
  strict,
);
export type CityPlan = Static<typeof CityPlan>;

/** Throws GEWU_CONFIG_UNREADABLE, GEWU_CONFIG_INVALID with key and value of every mistake. */
export async function loadCityPlan(file: string): Promise<CityPlan> {
  return checkConfig(file, CityPlan, await readConfigFile(file), cityPlanMistakes);
}

/** What the schema cannot say. */
export function cityPlanMistakes({ district, ports }: CityPlan): ConfigMistake[] {
  const mistakes: ConfigMistake[] = [];
  if (ports.edgeBrokers.length < district.edges)
    mistakes.push({
      key: 'ports.edgeBrokers',
      value: ports.edgeBrokers.length,
      message: `${district.edges} edges want one each`,
    });
  try {
    // Sensors cost time and cannot fail: everything else is tried.
    buildDistrict({ ...district, sensors: 0 });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    mistakes.push({ key: 'district', value: district, message: error.message });
  }
  return mistakes;
}

export function cityOf({ district }: CityPlan): City {
  return buildDistrict(district);
}

/** Passwords and tokens of an installation. */
export interface Secrets {
  /** Between machines; `of` names whose it is. */
  password(of: string): string;
  /** A bearer token of an account. */
  token(of: string): string;
}

/** Secrets that everybody knows who knows the seed: for tests, never for a real city. */
export function seededSecrets(seed: number): Secrets {
  const of = (what: string, name: string) =>
    createHash('sha256').update(`gewu simulate city, ${seed}, ${what}, ${name}`).digest('base64url');
  return {
    password: (name) => of('password', name).slice(0, 24),
    token: (name) => `gewu_${of('token', name).slice(0, 32)}`,
  };
}
