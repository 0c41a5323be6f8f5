import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { Child } from '#cli/demo/child.ts';
import { freePort } from '#cli/servers/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { type EdgeOptions, edgeFile } from './edge.ts';
import { until } from './until.ts';

const TOKEN = 'gewu_0123456789012345678901';

/** A centre and one edge without cameras as processes of their own, by the commands that a user has. */
export interface SmallInstallation {
  api: ApiClient;
  centre: Child;
  edge: Child;
  edgeBrokerPort: number;
  centreBrokerPort: number;
}

export async function startSmallInstallation(
  dir: string,
  devices: EdgeOptions['devices'],
  stores: object = {},
  /** What the edge has beside devices, in its site and in its file. */
  more: {
    site?: object;
    file?: object /** The port by which the edge reaches that of the centre's broker. */;
    through?: (port: number) => Promise<number>;
  } = {},
): Promise<SmallInstallation> {
  const [apiPort, centreBrokerPort, edgeBrokerPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const edgeConfig = edgeFile({
    dataDir: join(dir, 'edge'),
    centreUrl: `mqtt://127.0.0.1:${(await more.through?.(centreBrokerPort)) ?? centreBrokerPort}`,
    devices,
    port: edgeBrokerPort,
  });
  const site = { ...edgeConfig.site, ...more.site };
  const files = {
    edge: { ...edgeConfig, ...more.file, site, uplink: { ...edgeConfig.uplink, apiUrl: `http://127.0.0.1:${apiPort}` } },
    ingest: {
      version: 1,
      centre: { dataDir: join(dir, 'centre') },
      api: { port: apiPort, tokens: [{ name: 'ops', token: TOKEN, roles: ['administrator', 'ops', 'viewer'] }] },
      broker: { embedded: { port: centreBrokerPort } },
      edges: [{ id: 'edge-01', password: 'edge-password', site }],
      ...stores,
    },
  };
  for (const [name, file] of Object.entries(files)) await writeFile(join(dir, `${name}.yaml`), stringify(file));
  const child = (name: 'edge' | 'ingest') =>
    new Child({ name, args: [name, '--config', join(dir, `${name}.yaml`)], logFile: join(dir, `${name}.log`) });
  const api = new ApiClient(`http://127.0.0.1:${apiPort}`, TOKEN);
  const [centre, edge] = [child('ingest'), child('edge')];
  await Promise.all([centre.start(), edge.start()]);
  await until(() => api.ready(), { timeoutMs: 30_000, what: 'the centre' });
  return { api, centre, edge, edgeBrokerPort, centreBrokerPort };
}
