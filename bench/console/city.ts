import { join } from 'node:path';
import { freePort } from '#cli/servers/mod.ts';
import { writeCity } from '#cli/simulate/city.ts';
import { type CityPlan, cityOf, seededSecrets } from '#simulators/city/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { DeviceTable } from '#simulators/world/mod.ts';
import { Pinned } from '../processes.ts';
import { until } from '../until.ts';
import { TellingEdges } from './edges.ts';

/** A centre with everything that its edges would have told it. */
export interface SpeakingCity {
  centre: Pinned;
  edges: TellingEdges;
  api: ApiClient;
}

export async function startCity(dir: string, size: { cells: number; sensors: number; edges: number }): Promise<SpeakingCity> {
  const [api = 0, centreBroker = 0, rtsp = 0] = await Promise.all([freePort(), freePort(), freePort()]);
  // No edge runs: what they would say is said for them.
  const edgeBrokers = Array.from({ length: size.edges }, (_, i) => 1024 + i);
  const plan: CityPlan = {
    version: 1,
    district: { seed: 7, ...size, cameras: 0, division: '110101', originLon: 116.38, originLat: 39.88 },
    profile: 'demo',
    host: '127.0.0.1',
    ports: { api, centreBroker, rtsp, edgeBrokers },
  };
  await writeCity(dir, plan);
  const secrets = seededSecrets(plan.district.seed);
  const centre = new Pinned({ args: ['ingest', '--config', join(dir, 'ingest.yaml')], logFile: join(dir, 'ingest.log') });
  await centre.start();
  const client = new ApiClient(`http://127.0.0.1:${api}`, secrets.token('ops'));
  await until('the centre', () => client.ready());
  const edges = new TellingEdges(new DeviceTable(cityOf(plan)));
  await edges.start({ port: centreBroker, secrets });
  await edges.reportHealth();
  return { centre, edges, api: client };
}
