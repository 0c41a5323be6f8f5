import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type ServerProcess, startInfluxdb, startPostgres } from '#cli/servers/mod.ts';
import type { Site, SiteDevice } from '#grid/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import type { LoadCommand, LoadCount, LoadOptions } from './load/main.ts';
import { Pinned } from './processes.ts';
import { API_TOKEN, DEVICE_PASSWORD, LAMP_PREFIX, writeCentreFile, writeEdgeFile } from './site.ts';
import { until, untilListening } from './until.ts';

/** An edge and a centre as processes of their own, with what stores the centre was given: the whole way of a reading. */
export interface Flow {
  edge: Pinned;
  centre: Pinned;
  api: ApiClient;
  edgeDataDir: string;
  brokerPort: number;
  /** Of the edge, as Prometheus text. */
  edgeMetrics(): Promise<string>;
  startEdge(): Promise<void>;
  stop(): Promise<void>;
}

export interface FlowOptions {
  dir: string;
  devices: SiteDevice[];
  /** In place of one unit grid with the devices. */
  site?: Site;
  /** Real servers instead of the embedded stores. */
  servers: boolean;
}

/** The centre runs, the edge does not yet. */
export async function startFlow({ dir, devices, site, servers }: FlowOptions): Promise<Flow> {
  await mkdir(dir, { recursive: true });
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [brokerPort, centreBrokerPort, apiPort, probePort] = ports;
  const running: ServerProcess[] = [];
  const stopServers = () => Promise.all(running.map((s) => s.stop()));
  try {
    const stores = servers ? await startStores(dir, running) : {};
    const files = await Promise.all([
      writeEdgeFile({ dir, devices, site, brokerPort, centreBrokerPort, apiPort, probePort }),
      writeCentreFile({ dir, devices, site, brokerPort: centreBrokerPort, apiPort, stores }),
    ]);
    const edge = new Pinned({ args: ['edge', '--config', files[0]], logFile: join(dir, 'edge.log') });
    const centre = new Pinned({ args: ['ingest', '--config', files[1]], logFile: join(dir, 'centre.log') });
    const api = new ApiClient(`http://127.0.0.1:${apiPort}`, API_TOKEN);
    await centre.start();
    await until('the centre', () => api.ready());
    return {
      edge,
      centre,
      api,
      brokerPort,
      edgeDataDir: join(dir, 'edge'),
      edgeMetrics: async () => (await fetch(`http://127.0.0.1:${probePort}/metrics`)).text(),
      async startEdge() {
        await edge.start();
        await untilListening(brokerPort);
      },
      async stop() {
        await Promise.all([edge.stop(), centre.stop()]);
        await stopServers();
      },
    };
  } catch (error) {
    await stopServers();
    throw error;
  }
}

async function startStores(dir: string, running: ServerProcess[]): Promise<object> {
  const influx = await startInfluxdb({ dir });
  running.push(influx);
  const postgres = await startPostgres({ dir });
  running.push(postgres);
  return {
    timeseries: { store: 'influxdb', url: influx.url, database: 'gewu' },
    database: { store: 'postgres', url: postgres.url },
  };
}

/** Lamps that publish at a rate, in a process of their own. */
export class LampLoad {
  readonly #process: Pinned;

  constructor({ dir }: { dir: string }) {
    this.#process = new Pinned({ module: join(import.meta.dirname, 'load/main.ts'), args: [], logFile: join(dir, 'load.log') });
  }

  async start(options: Pick<LoadOptions, 'port' | 'devices' | 'window' | 'ratePerS'>): Promise<void> {
    await this.#process.start();
    await this.tell({ do: 'connect', options: { ...options, prefix: LAMP_PREFIX, password: DEVICE_PASSWORD } });
    await this.tell({ do: 'start' });
  }

  async tell(command: LoadCommand): Promise<LoadCount> {
    this.#process.send(command);
    return this.#process.message<LoadCount>();
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }
}

/** The value of one series in Prometheus text; 0 when it is not there. */
export function metricOf(text: string, series: string): number {
  const line = text.split('\n').find((l) => l.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** The sum over all series of a name in Prometheus text. */
export function metricsOf(text: string, name: string): number {
  const values = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
