import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomPassword, randomToken } from '../installation/mod.ts';
import type { EdgeSite } from './site.ts';

/** Loopback ports: where each listens, and (for what has a faulty link before it) where it is reached. */
export interface ChaosPorts {
  api: readonly number[];
  edges: readonly { broker: number; probes: number; uplink: number }[];
  /** Of the centre's embedded broker; null with an external one. */
  centreBroker: number | null;
}

export interface FilesPlan {
  dir: string;
  sites: readonly EdgeSite[];
  ports: ChaosPorts;
  /** Of each edge. */
  dataDirs: readonly string[];
  replicas: number;
  /** As the centres reach them. */
  externalBrokerUrl?: string | undefined;
  influxdbUrl?: string | undefined;
  postgresUrl?: string | undefined;
}

export interface ChaosFiles {
  edges: { name: string; file: string }[];
  centres: { name: string; file: string }[];
  token: string;
}

const SHARED_GROUP = 'centres';

/** Writes the configuration of every process; everything that is not said is as shipped. */
export async function writeChaosFiles(plan: FilesPlan): Promise<ChaosFiles> {
  const { dir, sites, ports, dataDirs, replicas } = plan;
  const write = async (name: string, config: object) => {
    const file = join(dir, `${name}.yaml`);
    // JSON is YAML. The files hold passwords.
    await writeFile(file, JSON.stringify(config, null, 1), { mode: 0o600 });
    return { name, file };
  };
  const passwords = sites.map(() => randomPassword());
  const token = randomToken();
  const edges = await Promise.all(
    sites.map(({ edge, site }, i) => {
      const { broker, probes, uplink } = ports.edges[i] as ChaosPorts['edges'][number];
      return write(edge, {
        version: 1,
        edge: { id: edge, dataDir: dataDirs[i], profile: 'demo' },
        broker: { port: broker },
        uplink: {
          url: `mqtt://127.0.0.1:${uplink}`,
          password: passwords[i],
          apiUrl: `http://127.0.0.1:${ports.api[0]}`,
        },
        probes: { port: probes },
        site,
      });
    }),
  );
  const accounts = sites.map(({ edge, site }, i) => ({ id: edge, password: passwords[i], site }));
  const centres = await Promise.all(
    ports.api.map((api, i) => {
      const name = replicas === 1 ? 'centre' : `centre-${i + 1}`;
      return write(name, {
        version: 1,
        centre: { id: name, dataDir: join(dir, name), replicas },
        api: { port: api, tokens: [{ name: 'ops', token, roles: ['administrator', 'ops', 'viewer'] }] },
        broker: brokerOf(plan),
        edges: accounts,
        ...(plan.influxdbUrl && { timeseries: { store: 'influxdb', url: plan.influxdbUrl } }),
        ...(plan.postgresUrl && { database: { store: 'postgres', url: plan.postgresUrl } }),
        evidence: { dir: join(dir, 'evidence') },
      });
    }),
  );
  return { edges, centres, token };
}

function brokerOf({ ports, externalBrokerUrl, replicas }: FilesPlan): object {
  if (externalBrokerUrl === undefined) return { embedded: { port: ports.centreBroker } };
  return { external: { url: externalBrokerUrl, ...(replicas > 1 && { sharedGroup: SHARED_GROUP }) } };
}
