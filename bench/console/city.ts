import { join } from 'node:path';
import { freePort } from '#cli/servers/mod.ts';
import { writeCity } from '#cli/simulate/city.ts';
import { type CityPlan, seededSecrets } from '#simulators/city/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { Pinned } from '../processes.ts';
import { until } from '../until.ts';
import type { SentAt, TellingCommand } from './telling.ts';

/** A centre with everything that its edges would have told it. */
export interface SpeakingCity {
  api: ApiClient;
  /** Of all edges together, from now on. */
  tell(perS: number): Promise<SentAt>;
  count(): Promise<SentAt>;
  stop(): Promise<void>;
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
  const edges = new Pinned({ module: join(import.meta.dirname, 'telling.ts'), args: [], logFile: join(dir, 'edges.log') });
  await edges.start();
  const command = async (said: TellingCommand) => {
    edges.send(said);
    return edges.message<SentAt>();
  };
  await command({ do: 'connect', plan });
  return {
    api: client,
    tell: (perS) => command({ do: 'tell', perS }),
    count: () => command({ do: 'count' }),
    async stop() {
      await edges.stop('SIGKILL');
      await centre.stop();
    },
  };
}
