import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { FilingPolicy, Site } from '#grid/mod.ts';
import { type ConfigMistake, checkConfig, readConfigFile } from '#service/mod.ts';
import { ClientTls, Listener } from '#service/mqtt/mod.ts';
import { ApiConfig } from './api/mod.ts';
import { ApprovalsConfig } from './approvals/mod.ts';
import { archiveMistakes, BaseMapConfig, baseMapMistakes } from './basemap/mod.ts';
import { DatabaseConfig } from './database/mod.ts';
import { DeadLettersConfig } from './deadletters/mod.ts';
import { HealthConfig } from './devices/mod.ts';
import { EvidenceConfig } from './evidence/mod.ts';
import { LiveConfig } from './live/mod.ts';
import { NotifyConfig } from './notify/mod.ts';
import { ModelsConfig } from './packages/mod.ts';
import { accountFault } from './sessions/mod.ts';
import { TimeSeriesConfig } from './timeseries/mod.ts';
import { PromotionConfig } from './trials/mod.ts';
import { UpkeepConfig } from './upkeep/mod.ts';

const strict = { additionalProperties: false } as const;
const Path = () => Type.String({ minLength: 1, maxLength: 4096, description: 'relative paths start at the folder of the file' });
const Id = (options = {}) => Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', ...options });

const Centre = Type.Object(
  {
    id: Id({ default: 'centre' }),
    /** Embedded stores and evidence live here unless their sections say otherwise. */
    dataDir: Path(),
    /** IANA name; of the day in a case number. */
    timeZone: Type.String({ default: 'Asia/Shanghai', maxLength: 64 }),
    /** How many `gewu ingest` share the stores; more than one needs PostgreSQL, InfluxDB and an external broker. */
    replicas: Type.Integer({ minimum: 1, maximum: 64, default: 1 }),
  },
  strict,
);

const EmbeddedBroker = Type.Object(
  {
    ...Listener.properties,
    /** 0: any free one. */
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 1883 }),
    /** Of the edges' connections; the defaults fit 500 edges, docs/configuration.md tells what more of them cost. */
    limits: Type.Object(
      {
        clientsMax: Type.Integer({ minimum: 1, maximum: 20_000, default: 2_000 }),
        connectRatePerSMax: Type.Number({ minimum: 1, maximum: 10_000, default: 500 }),
      },
      { ...strict, default: {} },
    ),
  },
  strict,
);
const ExternalBroker = Type.Object(
  {
    url: Type.String({ pattern: '^mqtts?://[^/?#@]+/?$', maxLength: 512 }),
    username: Type.Optional(Type.String({ maxLength: 128 })),
    password: Type.Optional(Type.String({ maxLength: 512 })),
    tls: Type.Optional(ClientTls),
    /** Replicas of one group share the frames (MQTT 5 `$share`). */
    sharedGroup: Type.Optional(Id()),
  },
  strict,
);
/** Exactly one of the two. */
export const BrokerConfig = Type.Object(
  { embedded: Type.Optional(EmbeddedBroker), external: Type.Optional(ExternalBroker) },
  strict,
);
export type BrokerConfig = Static<typeof BrokerConfig>;

const EdgeEntry = Type.Object(
  {
    id: Id(),
    /** Of its MQTT connection and its evidence uploads; the user name is the edge's id. */
    password: Type.String({ minLength: 8, maxLength: 128 }),
    /** What the edge is in charge of. Without it its devices are unknown here. */
    site: Type.Optional(Site),
    /** A file with the site, or an edge's configuration with a `site` in it. */
    siteFile: Type.Optional(Path()),
  },
  strict,
);

/** What `ingest.yaml` may say; `timeseries`, `database`, `evidence` and `models` have defaults that depend on `centre.dataDir`. */
export const IngestConfigFile = Type.Object(
  {
    version: Type.Literal(1),
    centre: Centre,
    api: ApiConfig,
    broker: BrokerConfig,
    edges: Type.Array(EdgeEntry, { maxItems: 5_000, default: [] }),
    timeseries: TimeSeriesConfig,
    database: DatabaseConfig,
    evidence: EvidenceConfig,
    models: ModelsConfig,
    deadLetters: DeadLettersConfig,
    health: HealthConfig,
    live: LiveConfig,
    approvals: ApprovalsConfig,
    promotion: PromotionConfig,
    notify: NotifyConfig,
    upkeep: UpkeepConfig,
    map: BaseMapConfig,
    /** File of the filing policy that a new database begins with. */
    filingPolicy: Type.Optional(Path()),
  },
  strict,
);
type Checked = Static<typeof IngestConfigFile>;

/** An edge that may connect, and what it is in charge of. */
export interface EdgeAccount {
  id: string;
  password: string;
  site: Site | null;
}

/** A centre's configuration, complete: other files read, paths absolute. */
export interface IngestConfig extends Omit<Checked, 'edges' | 'filingPolicy'> {
  edges: EdgeAccount[];
  timeseries: TimeSeriesConfig;
  database: DatabaseConfig;
  /** Null: the shipped one. */
  filingPolicy: FilingPolicy | null;
}

/**
 * Reads and checks a centre's configuration with all files that it names.
 * Throws GEWU_CONFIG_UNREADABLE, or GEWU_CONFIG_INVALID with key and value of every mistake.
 */
export async function loadIngestConfig(file: string): Promise<IngestConfig> {
  const input = withDefaultStores(await readConfigFile(file));
  const checked = checkConfig(file, IngestConfigFile, input, mistakesOf);
  makeAbsolute(checked, dirname(resolve(file)));
  const edges: EdgeAccount[] = [];
  for (const { id, password, site, siteFile } of checked.edges)
    edges.push({ id, password, site: siteFile === undefined ? (site ?? null) : await readSite(siteFile) });
  const policyFile = checked.filingPolicy;
  const filingPolicy = policyFile === undefined ? null : checkConfig(policyFile, FilingPolicy, await readConfigFile(policyFile));
  const unusable = await archiveMistakes(checked.map);
  checkConfig(file, Type.Unknown(), {}, () => [...ownerMistakes(edges), ...unusable]);
  return { ...checked, edges, filingPolicy };
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is not said about stores: SQLite and a folder of files below `dataDir`. */
function withDefaultStores(input: unknown): unknown {
  if (!isObject(input) || !isObject(input.centre) || typeof input.centre.dataDir !== 'string') return input;
  const { dataDir } = input.centre;
  const embedded = (section: unknown, name: string) => {
    if (section !== undefined && !isObject(section)) return section;
    const store = section?.store ?? 'sqlite';
    return store === 'sqlite' ? { store, file: `${dataDir}/${name}`, ...section } : section;
  };
  const folder = (section: unknown, name: string) =>
    isObject(section ?? {}) ? { dir: `${dataDir}/${name}`, ...(section as Json) } : section;
  return {
    ...input,
    broker: input.broker ?? { embedded: {} },
    api: input.api ?? {},
    timeseries: embedded(input.timeseries, 'readings.sqlite'),
    database: embedded(input.database, 'centre.sqlite'),
    evidence: folder(input.evidence, 'evidence'),
    models: folder(input.models, 'models'),
  };
}

/** Every key that holds a path. */
const PATHS = [
  'centre.dataDir',
  'api.tls.cert',
  'api.tls.key',
  'api.tls.ca',
  'broker.embedded.tls.cert',
  'broker.embedded.tls.key',
  'broker.embedded.tls.ca',
  'broker.external.tls.cert',
  'broker.external.tls.key',
  'broker.external.tls.ca',
  'timeseries.file',
  'timeseries.tls.cert',
  'timeseries.tls.key',
  'timeseries.tls.ca',
  'database.file',
  'database.tls.caFile',
  'database.tls.certFile',
  'database.tls.keyFile',
  'evidence.dir',
  'models.dir',
  'map.pmtiles.file',
  'filingPolicy',
];

function makeAbsolute(config: Checked, base: string): void {
  for (const path of PATHS) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    let at: unknown = config;
    for (const key of keys) at = isObject(at) ? at[key] : undefined;
    if (isObject(at) && typeof at[last] === 'string') at[last] = resolve(base, at[last]);
  }
  for (const edge of config.edges) if (edge.siteFile !== undefined) edge.siteFile = resolve(base, edge.siteFile);
}

async function readSite(file: string): Promise<Site> {
  const input = await readConfigFile(file);
  return checkConfig(file, Site, isObject(input) && isObject(input.site) ? input.site : input);
}

/** What the schema cannot say. */
function mistakesOf(config: Checked): ConfigMistake[] {
  return [
    ...brokerMistakes(config),
    ...replicaMistakes(config),
    ...edgeMistakes(config),
    ...tokenMistakes(config),
    ...channelMistakes(config),
    ...baseMapMistakes(config.map, config.api.tls !== undefined),
  ];
}

function brokerMistakes({ broker }: Checked): ConfigMistake[] {
  const named = Object.keys(broker);
  return named.length === 1 ? [] : [{ key: 'broker', value: named, message: 'exactly one of embedded and external is wanted' }];
}

function replicaMistakes({ centre, timeseries, database, broker }: Checked): ConfigMistake[] {
  if (centre.replicas === 1) return [];
  const mistakes: ConfigMistake[] = [];
  const say = (key: string, value: unknown, message: string) => mistakes.push({ key, value, message });
  if (timeseries.store === 'sqlite') say('timeseries.store', 'sqlite', 'serves one replica; several need influxdb');
  if (database.store === 'sqlite') say('database.store', 'sqlite', 'serves one replica; several need postgres');
  if (broker.embedded) say('broker.embedded', broker.embedded, 'serves one replica; several need an external broker');
  else if (broker.external?.sharedGroup === undefined)
    say('broker.external.sharedGroup', undefined, 'is required for several replicas: without it each would take every frame');
  return mistakes;
}

function edgeMistakes({ edges }: Checked): ConfigMistake[] {
  const mistakes: ConfigMistake[] = [];
  const seen = new Set<string>();
  for (const [i, { id, site, siteFile }] of edges.entries()) {
    if (seen.has(id)) mistakes.push({ key: `edges.${i}.id`, value: id, message: 'is the id of another edge' });
    seen.add(id);
    if (site !== undefined && siteFile !== undefined)
      mistakes.push({ key: `edges.${i}.siteFile`, value: siteFile, message: 'site and siteFile exclude each other' });
  }
  return mistakes;
}

function tokenMistakes({ api }: Checked): ConfigMistake[] {
  const roles = new Map<string, Set<string>>();
  return api.tokens.flatMap((token, i) => {
    const key = `api.tokens.${i}`;
    const mistakes: ConfigMistake[] = [];
    if ((token.token === undefined) === (token.sha256 === undefined))
      mistakes.push({ key, value: token.name, message: 'exactly one of token and sha256 is wanted' });
    // Two tokens of one name are one account.
    const all = roles.get(token.name) ?? new Set();
    for (const role of token.roles) all.add(role);
    roles.set(token.name, all);
    const fault = accountFault(token.name, [...all]);
    if (fault !== null) mistakes.push({ key: `${key}.roles`, value: [...all], message: fault });
    return mistakes;
  });
}

function channelMistakes({ notify }: Checked): ConfigMistake[] {
  return notify.channels.flatMap((channel, i) => {
    const key = `notify.channels.${i}`;
    const mistakes: ConfigMistake[] = [];
    if (notify.channels.findIndex((c) => c.id === channel.id) !== i)
      mistakes.push({ key: `${key}.id`, value: channel.id, message: 'is the id of another channel' });
    if (channel.kind === 'smtp' && (channel.username === undefined) !== (channel.password === undefined))
      mistakes.push({ key: `${key}.username`, value: channel.username, message: 'username and password go together' });
    if (channel.kind === 'smtp' && channel.security === 'none' && !channel.allowLocalAddress)
      mistakes.push({
        key: `${key}.security`,
        value: 'none',
        message: 'is for a server on this machine only: allowLocalAddress',
      });
    return mistakes;
  });
}

/** One id is one thing, whichever edge it hangs on. */
function ownerMistakes(edges: readonly EdgeAccount[]): ConfigMistake[] {
  const mistakes: ConfigMistake[] = [];
  for (const kind of ['devices', 'cameras'] as const) {
    const owners = new Map<string, string>();
    for (const { id: edge, site } of edges)
      for (const { id } of site?.[kind] ?? []) {
        const owner = owners.get(id);
        if (owner !== undefined)
          mistakes.push({ key: `edges.${edge}.site.${kind}`, value: id, message: `is already on ${owner}` });
        owners.set(id, edge);
      }
  }
  return mistakes.slice(0, 100);
}
