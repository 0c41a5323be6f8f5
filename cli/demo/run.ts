import { mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GewuError } from '#service/mod.ts';
import type { SimulationStats, StagedTruth } from '#simulators/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { say } from '../command.ts';
import { type Installation, smallCity, writeInstallation } from '../installation/mod.ts';
import { freePort, type ServerProcess, startInfluxdb, startPostgres } from '../servers/mod.ts';
import { Child } from './child.ts';

/** What the simulators say while they run (`cli/simulate.ts`). */
export interface SimulationReport {
  type: 'started' | 'stats' | 'finished';
  /** UTC ms. */
  startedAt: number;
  stats: SimulationStats;
  truth: readonly StagedTruth[];
}

export interface CityOptions {
  dir: string;
  seed: number;
  influxdb: boolean;
  postgres: boolean;
  /** Length of the simulators' script, seconds. */
  durationS: number;
  /** Of the API; null takes a free one. */
  apiPort: number | null;
}

const START_MS_MAX = 60_000;
const EDGES = 2;

/** Every process of the demo: stores, a centre, its edges, the simulators. Each is started as a user would start it. */
export class DemoCity {
  readonly #options: CityOptions;
  readonly #servers: ServerProcess[] = [];
  #installation: Installation | undefined;
  #api: ApiClient | undefined;
  centre: Child | undefined;
  edges: Child[] = [];
  simulators: Child | undefined;
  /** The newest word of the simulators. */
  report: SimulationReport | undefined;
  #fallen: string | null = null;
  #stopping = false;

  constructor(options: CityOptions) {
    this.#options = options;
  }

  get api(): ApiClient {
    if (this.#api === undefined) throw new Error('the city has not started');
    return this.#api;
  }

  get installation(): Installation {
    if (this.#installation === undefined) throw new Error('the city has not started');
    return this.#installation;
  }

  /** The part that ended by itself, or null. */
  get fallen(): string | null {
    return this.#fallen;
  }

  /** Everything but the simulators. */
  async start(): Promise<void> {
    const { dir } = this.#options;
    await rm(dir, { recursive: true, force: true });
    await mkdir(join(dir, 'logs'), { recursive: true });
    const installation = await this.#write();
    this.#installation = installation;
    this.#api = new ApiClient(installation.apiUrl, installation.token);
    this.centre = this.#child('centre', ['ingest', '--config', installation.ingestFile]);
    this.edges = installation.edges.map(({ id, file }) => this.#child(id, ['edge', '--config', file]));
    await Promise.all([this.centre, ...this.edges].map((child) => child.start()));
    await this.#until('the centre', () => this.api.ready());
    for (const edge of installation.edges) await this.#until(edge.id, () => listens(edge.brokerPort));
  }

  /** Sensors and cameras begin; resolves when they run. */
  async startSimulators(): Promise<SimulationReport> {
    const simulators = this.#child('simulators', ['simulate', '--config', this.installation.simulateFile]);
    simulators.on('message', (message) => {
      this.report = message as SimulationReport;
    });
    this.simulators = simulators;
    await simulators.start();
    await this.#until('the simulators', async () => this.report !== undefined);
    return this.report as unknown as SimulationReport;
  }

  /** Equipment fails, and stays so. */
  fail(what: { cameras: readonly string[]; devices: readonly string[] }): void {
    this.simulators?.send({ fail: what });
  }

  /** The sensors stop and wait for their last acknowledgements; the cameras go on until the end of the city. */
  async finishSimulators(): Promise<SimulationReport> {
    this.#stopping = true;
    this.simulators?.send('finish');
    await this.#until('the last acknowledgements', async () => this.report?.type === 'finished');
    return this.report as SimulationReport;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const children = [this.simulators, ...this.edges, this.centre].filter((c) => c !== undefined);
    await Promise.all(children.map((child) => child.stop()));
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async #write(): Promise<Installation> {
    const { dir, seed, influxdb, postgres, durationS, apiPort } = this.#options;
    const start = async (what: string, server: Promise<ServerProcess>) => {
      say(`gewu: starting ${what} ...`);
      const running = await server;
      this.#servers.push(running);
      return running.url;
    };
    const influxdbUrl = influxdb ? await start('InfluxDB', startInfluxdb({ dir })) : undefined;
    const postgresUrl = postgres ? await start('PostgreSQL', startPostgres({ dir })) : undefined;
    const edgeBrokers = await Promise.all(Array.from({ length: EDGES }, () => freePort()));
    const [api, centreBroker, rtsp] = await Promise.all([apiPort ?? freePort(), freePort(), freePort()]);
    const ports = { api, centreBroker, rtsp, edgeBrokers };
    return writeInstallation({ dir, ...smallCity(seed, EDGES), profile: 'demo', ports, influxdbUrl, postgresUrl, durationS });
  }

  #child(name: string, args: readonly string[]): Child {
    const child = new Child({ name, args, logFile: join(this.#options.dir, 'logs', `${name}.log`) });
    child.on('exit', (code) => {
      if (!this.#stopping) this.#fallen = `${name} ended with ${code}; see ${child.logFile}`;
    });
    return child;
  }

  async #until(what: string, done: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + START_MS_MAX;
    while (!(await done())) {
      if (this.#fallen !== null && !this.#stopping) throw new GewuError('GEWU_INTERNAL', this.#fallen);
      if (performance.now() > deadline)
        throw new GewuError('GEWU_INTERNAL', `${what}: not there after ${START_MS_MAX / 1000} s; see ${this.#options.dir}/logs`);
      await pause(50);
    }
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
