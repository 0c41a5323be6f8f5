import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { Id, PROFILES, Site } from '#grid/mod.ts';
import { type ConfigMistake, checkConfig, GewuError, readConfigFile } from '#service/mod.ts';
import { ClientTls } from '#service/mqtt/mod.ts';
import { cityOfSites } from '../city/mod.ts';
import type { Address } from './connection.ts';
import type { LoadTarget, TargetEdge } from './target.ts';

const strict = { additionalProperties: false } as const;
const File = () => Type.String({ minLength: 1, maxLength: 4096 });

const Broker = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 253 }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    /** With it the connection is encrypted, and the certificate of the broker checked. */
    tls: Type.Optional(ClientTls),
  },
  strict,
);

const Edge = Type.Object(
  {
    id: Id(),
    /** What it is in charge of: its site file, with the secrets of its devices. */
    siteFile: File(),
    /** Where its devices connect. */
    broker: Broker,
    /** Of its uplink; only for a run `as: edges`. */
    password: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    /** Its `/metrics`: what it uses, and how many events it sends, is not known without. */
    metrics: Type.Optional(Type.String({ pattern: '^https?://', maxLength: 512 })),
  },
  strict,
);

/** What an inventory file says: an installation that nobody made from a seed. Paths are from the file's folder. */
export const Inventory = Type.Object(
  {
    version: Type.Literal(1),
    /** What the installation is called. */
    inventory: Id(),
    /** Of an account at the centre with the role ops. */
    token: Type.String({ minLength: 1, maxLength: 256 }),
    /** Of the edges: confirm times. */
    profile: Type.Enum(PROFILES, { default: 'default' }),
    /** Where edges connect; only for a run `as: edges`. */
    centreBroker: Type.Optional(Broker),
    edges: Type.Array(Edge, { minItems: 1, maxItems: 5_000 }),
  },
  strict,
);
export type Inventory = Static<typeof Inventory>;

/** An installation, and the token of its API. Throws GEWU_CONFIG_UNREADABLE, GEWU_CONFIG_INVALID with key and value of every mistake. */
export async function loadInventory(file: string): Promise<LoadTarget & { token: string }> {
  const inventory = checkConfig(file, Inventory, await readConfigFile(file), mistakesOf);
  const { token, profile, centreBroker } = inventory;
  const at = (path: string) => resolve(dirname(file), path);
  const sites = await Promise.all(inventory.edges.map(async ({ id, siteFile }) => ({ id, site: await readSite(at(siteFile)) })));
  const edges = await Promise.all(
    inventory.edges.map(async ({ broker, password = '', metrics = null }): Promise<TargetEdge> => {
      return { broker: await addressOf(broker, at), password, metricsUrl: metrics };
    }),
  );
  const centre = centreBroker === undefined ? null : await addressOf(centreBroker, at);
  return { token, profile, city: cityOfSites(sites), edges, centreBroker: centre, rtsp: null };
}

/** A site file, or the configuration of an edge that holds it. */
async function readSite(file: string): Promise<Site> {
  const input = await readConfigFile(file);
  const inner = typeof input === 'object' && input !== null && 'site' in input ? input.site : input;
  return checkConfig(file, Site, inner);
}

async function addressOf({ host, port, tls }: Static<typeof Broker>, at: (path: string) => string): Promise<Address> {
  if (tls === undefined) return { host, port };
  const read = async (path: string | undefined) => (path === undefined ? undefined : await readFile(at(path)));
  try {
    const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.cert), read(tls.key)]);
    return { host, port, tls: { ca, cert, key, servername: tls.serverName ?? host } };
  } catch (error) {
    throw new GewuError('GEWU_CONFIG_UNREADABLE', `TLS of ${host}: ${(error as Error).message}`, { cause: error });
  }
}

function mistakesOf({ edges }: Inventory): ConfigMistake[] {
  const ids = edges.map((e) => e.id);
  return edges.flatMap(({ id }, i) =>
    ids.indexOf(id) === i ? [] : [{ key: `edges.${i}.id`, value: id, message: 'stands here twice' }],
  );
}
