import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { deviceKind, type Mapper, PROFILES, Site, siteMistakes } from '#grid/mod.ts';
import { ConfigError, type ConfigMistake, checkConfig, readConfigFile } from '#service/mod.ts';
import { BrokerLimits, ClientTls, Listener } from '#service/mqtt/mod.ts';
import { Retention, strangeClasses } from './evidence/mod.ts';
import { EdgeLiveConfig } from './live/mod.ts';
import { loadMapping, mappingConflicts } from './mapping/mod.ts';

const strict = { additionalProperties: false } as const;
const Path = () => Type.String({ minLength: 1, maxLength: 4096, description: 'relative paths start at the folder of the file' });
const MEBIBYTE = 1024 * 1024;

/** What `edge.yaml` may say. */
export const EdgeConfigFile = Type.Object(
  {
    version: Type.Literal(1),
    edge: Type.Object(
      {
        id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
        dataDir: Path(),
        /** `demo` shortens confirm and dwell times to 5 s. */
        profile: Type.Enum(PROFILES, { default: 'default' }),
      },
      strict,
    ),
    /** For the devices. */
    broker: Type.Object({ ...Listener.properties, limits: BrokerLimits }, strict),
    uplink: Type.Object(
      {
        /** The centre's broker; the user name is the edge's id. */
        url: Type.String({ pattern: '^mqtts?://[^/?#@]+/?$', maxLength: 512 }),
        password: Type.String({ minLength: 8, maxLength: 128 }),
        tls: Type.Optional(ClientTls),
        /** The centre's API, for evidence. */
        apiUrl: Type.String({ pattern: '^https?://[^/?#@]+/?$', maxLength: 512 }),
        apiTls: Type.Optional(ClientTls),
      },
      strict,
    ),
    outbox: Type.Object(
      {
        quotaBytes: Type.Integer({ minimum: MEBIBYTE, default: 2048 * MEBIBYTE }),
        ageHoursMax: Type.Number({ minimum: 1, default: 168 }),
      },
      { ...strict, default: {} },
    ),
    vision: Type.Object(
      {
        /** Folder of the model; none takes the shipped one. */
        model: Type.Optional(Path()),
        workers: Type.Integer({ minimum: 1, maximum: 64, default: 1 }),
        /** Release keys (Ed25519, base64) of models that the centre may push; none: it may push none. */
        trustedKeys: Type.Array(Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$' }), { maxItems: 16, default: [] }),
        /** Recordings that may stand for cameras, by a camera's `file`: for tests of models. */
        filesDir: Type.Optional(Path()),
      },
      { ...strict, default: {} },
    ),
    evidence: Type.Object(
      {
        /** Masked files, those that wait for the centre and those that it has. */
        quotaBytes: Type.Integer({ minimum: MEBIBYTE, default: 4096 * MEBIBYTE }),
        /** Unmasked originals, encrypted. */
        originalsQuotaBytes: Type.Integer({ minimum: MEBIBYTE, default: 8192 * MEBIBYTE }),
        retention: Retention,
        /** Ten seconds of video for each event of a camera. */
        clips: Type.Boolean({ default: true }),
        /** Of the node's own keys; `keys` below `dataDir` unless told: docs/evidence.md says where they are better off. */
        keysDir: Type.Optional(Path()),
      },
      { ...strict, default: {} },
    ),
    live: EdgeLiveConfig,
    /** Files that say how payloads in other formats become readings: docs/mappings.md. */
    mappings: Type.Array(Path(), { maxItems: 64, default: [] }),
    /** Takes what platforms push by HTTP, on the paths of the mappings. */
    push: Type.Optional(Type.Object({ ...Listener.properties, port: Type.Integer({ minimum: 0, maximum: 65_535 }) }, strict)),
    /** By kind of device: readings that say nothing new are not stored. Off for the kinds that are not named. */
    report: Type.Record(
      Type.String({ pattern: '^[a-z0-9_]{1,64}$' }),
      Type.Object(
        {
          silenceS: Type.Number({ minimum: 1, maximum: 30 * 86_400 }),
          deadband: Type.Record(Type.String({ pattern: '^[a-z0-9_]{1,64}$' }), Type.Number({ minimum: 0 }), { default: {} }),
        },
        strict,
      ),
      { default: {} },
    ),
    /** `/healthz`, `/readyz`, `/metrics`. */
    probes: Type.Optional(
      Type.Object(
        { host: Type.String({ default: '127.0.0.1', maxLength: 253 }), port: Type.Integer({ minimum: 0, maximum: 65_535 }) },
        strict,
      ),
    ),
    site: Type.Optional(Site),
    siteFile: Type.Optional(Path()),
  },
  strict,
);
type Checked = Static<typeof EdgeConfigFile>;

/** A node's configuration, complete: other files read, paths absolute. */
export interface EdgeConfig extends Omit<Checked, 'site' | 'siteFile' | 'vision' | 'mappings'> {
  site: Site;
  mappings: readonly Mapper[];
  vision: { model: string; workers: number; filesDir: string | null; trustedKeys: readonly string[] };
}

const SHIPPED_MODEL = resolve(import.meta.dirname, '../models/street-drawn');

/**
 * Reads and checks a node's configuration with the site that it names.
 * Throws GEWU_CONFIG_UNREADABLE, or GEWU_CONFIG_INVALID with key and value of every mistake.
 */
export async function loadEdgeConfig(file: string): Promise<EdgeConfig> {
  const checked = checkConfig(file, EdgeConfigFile, await readConfigFile(file), edgeMistakes);
  const folder = dirname(resolve(file));
  const { keysDir } = checked.evidence;
  const { site: inline, siteFile, vision, mappings, ...rest } = checked;
  const source = siteFile === undefined ? file : resolve(folder, siteFile);
  const mappers = await Promise.all(mappings.map((m) => loadMapping(resolve(folder, m))));
  const conflicts = mappingConflicts(
    mappers.map((m) => m.mapping),
    { push: rest.push !== undefined },
  );
  if (conflicts.length > 0) throw new ConfigError(file, conflicts);
  const site = checkConfig(source, Site, inline ?? (await readConfigFile(source)), (site) => [
    ...siteMistakes(site),
    ...(vision.filesDir === undefined ? recordingMistakes(site) : []),
  ]);
  return {
    ...rest,
    mappings: mappers,
    edge: { ...rest.edge, dataDir: resolve(folder, rest.edge.dataDir) },
    evidence: { ...rest.evidence, ...(keysDir === undefined ? {} : { keysDir: resolve(folder, keysDir) }) },
    vision: {
      workers: vision.workers,
      trustedKeys: vision.trustedKeys,
      model: vision.model === undefined ? SHIPPED_MODEL : resolve(folder, vision.model),
      filesDir: vision.filesDir === undefined ? null : resolve(folder, vision.filesDir),
    },
    site,
  };
}

function edgeMistakes({ site, siteFile, report, evidence }: Checked): ConfigMistake[] {
  const places = (site === undefined) === (siteFile === undefined);
  return [
    ...(places ? [{ key: 'site', value: site, message: 'exactly one of site and siteFile is wanted' }] : []),
    ...Object.entries(report).flatMap(([kind, { deadband }]) => reportMistakes(kind, deadband)),
    ...strangeClasses(evidence.retention).map((key) => {
      return { key: `evidence.retention.${key}`, value: key, message: "not a class key like 2:0501, nor '*'" };
    }),
  ];
}

function recordingMistakes({ cameras }: Site): ConfigMistake[] {
  return cameras.flatMap(({ file }, i) =>
    file === undefined ? [] : [{ key: `cameras.${i}.file`, value: file, message: 'the edge has no vision.filesDir' }],
  );
}

function reportMistakes(kindName: string, deadband: Readonly<Record<string, number>>): ConfigMistake[] {
  const fields = deviceKind(kindName)?.fields;
  if (fields === undefined) return [{ key: `report.${kindName}`, value: kindName, message: 'there is no such kind of device' }];
  return Object.entries(deadband).flatMap(([name, value]) => {
    const isNumber = Object.hasOwn(fields, name) && fields[name]?.type === 'number';
    return isNumber ? [] : [{ key: `report.${kindName}.deadband.${name}`, value, message: `${kindName} has no such number` }];
  });
}
