import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, createMetrics, type Log, type Metrics, type Service } from '#service/mod.ts';
import { createApi, EdgeCredentials, Readiness, type ReadyCheck, StreamHub } from './api/mod.ts';
import { createApprovals, createPersonRecalls } from './approvals/mod.ts';
import { createAudit, EdgeTrails } from './audit/mod.ts';
import { createCaseService } from './cases/mod.ts';
import type { IngestConfig } from './config.ts';
import { createDatabase, type Database } from './database/mod.ts';
import { createDatasets } from './datasets/mod.ts';
import { createDeadLetterDesk, createDeadLetterStore } from './deadletters/mod.ts';
import { createDesiredService } from './desired/mod.ts';
import { createDeviceService, createRegistry } from './devices/mod.ts';
import { createEvidenceStore, EdgeKeys, Releases } from './evidence/mod.ts';
import { createGrants } from './grants/mod.ts';
import { createHealthSink } from './health.ts';
import { createEmbeddedPort, createExternalPort, createIntake, type IntakePort } from './intake/mod.ts';
import { LastPictures, LiveViews } from './live/mod.ts';
import { createNews } from './news/mod.ts';
import { createNotifyService, createSources } from './notify/mod.ts';
import { createModelStore } from './packages/mod.ts';
import { Persistent } from './persistent.ts';
import { createSessionService } from './sessions/mod.ts';
import { createTimeSeriesStore, type TimeSeriesStore } from './timeseries/mod.ts';
import { createTrials, Promotions } from './trials/mod.ts';
import { createUpkeepService, type UpkeepService } from './upkeep/mod.ts';

export interface CentreDependencies {
  config: IngestConfig;
  log: Log;
  clock: Clock;
}

export interface Centre extends Service {
  /** `http(s)://host:port`, after `start`. */
  readonly apiUrl: string;
  /** Of the embedded broker, after `start`; null with an external one. */
  readonly brokerPort: number | null;
}

/** The intake stores what it has; the API cuts its connections; the stores close. Together below 5 s. */
const INTAKE_STOP_MS_MAX = 2_500;
const API_STOP_MS_MAX = 1_000;
const STORE_STOP_MS_MAX = 1_500;

/**
 * The composition root of a centre: builds everything, starts and stops it in order.
 *
 *   start: API (answers /readyz from now on) -> [database: cases, devices, dead letters, evidence, stream]
 *                                               [time series]                  side by side -> broker and intake
 *   stop:  broker, intake and API -> stores
 *
 * A store that is away is tried again in the background (`Persistent`); a mistake in the configuration, a port in use
 * and a folder that another process holds fail `start`.
 */
export function createCentre(dependencies: CentreDependencies): Centre {
  return new ComposedCentre(dependencies);
}

class ComposedCentre implements Centre {
  readonly #deps: CentreDependencies;
  readonly #parts: ReturnType<typeof compose>;

  constructor(dependencies: CentreDependencies) {
    this.#deps = dependencies;
    this.#parts = compose(dependencies, createMetrics());
  }

  get apiUrl(): string {
    return this.#parts.api.url;
  }

  get brokerPort(): number | null {
    return this.#parts.port.listenPort();
  }

  async start(): Promise<void> {
    const { api, onDatabase, onTimeseries, intake } = this.#parts;
    const { config, log } = this.#deps;
    try {
      await mkdir(config.centre.dataDir, { recursive: true, mode: 0o750 });
      await api.start();
      await Promise.all([onDatabase.start(), onTimeseries.start()]);
      await intake.start();
      await api.join();
    } catch (error) {
      await this.stop();
      throw error;
    }
    log.info({ api: this.apiUrl, broker: this.brokerPort ?? config.broker.external?.url }, 'the centre runs');
  }

  async stop(): Promise<void> {
    const { api, onDatabase, onTimeseries, intake } = this.#parts;
    await Promise.all([
      this.#within(INTAKE_STOP_MS_MAX, 'intake', intake.stop()),
      this.#within(API_STOP_MS_MAX, 'API', api.stop()),
    ]);
    await Promise.all([
      this.#within(STORE_STOP_MS_MAX, 'database', onDatabase.stop()),
      this.#within(STORE_STOP_MS_MAX, 'time series', onTimeseries.stop()),
    ]);
  }

  /** Everything that counts is durable: what does not stop in time is left behind. */
  async #within(ms: number, what: string, stopping: Promise<void>): Promise<void> {
    const { log } = this.#deps;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        log.warn({ ms }, `${what} did not stop in time`);
        resolve();
      }, ms);
    });
    await Promise.race([stopping.catch((error: unknown) => log.error({ err: error }, `${what} did not stop cleanly`)), late]);
    clearTimeout(timer);
  }
}

function compose({ config, log, clock }: CentreDependencies, metrics: Metrics) {
  const common = { log, clock, metrics };
  const credentials = new EdgeCredentials(config.edges);
  const registry = createRegistry(config.edges);
  const port = composePort(config, credentials, { log, metrics });

  const database = createDatabase({ config: config.database, ...common });
  const timeseries = createTimeSeriesStore(config.timeseries, common);
  const { timeZone } = config.centre;
  const policy = config.filingPolicy === null ? {} : { policy: config.filingPolicy };
  const windowsOf: UpkeepService['windowsOf'] = (from, to) => upkeep.windowsOf(from, to);
  const cases = createCaseService({ database, commands: port, timeZone, ...policy, windowsOf, ...common });
  const devices = createDeviceService({ config: config.health, registry, database, ...common });
  const deadLetters = createDeadLetterStore({ config: config.deadLetters, database, ...common });
  const onStored = (sha256: string) => cases.evidenceStored(sha256);
  const evidence = createEvidenceStore({ config: config.evidence, database, onStored, ...common });
  const audit = createAudit({ database, ...common });
  const grants = createGrants({ database, audit, registry, ...common });
  const edgeKeys = new EdgeKeys({ database, audit, ...common });
  const { dir } = config.evidence;
  const releases = new Releases({ dir, database, grants, audit, keys: edgeKeys, commands: port, ...common });
  const fixed = config.api.tokens;
  const sessions = createSessionService({ config: config.api.sessions, database, audit, fixed, ...common });
  const desired = createDesiredService({ edges: config.edges, database, audit, config: port, ...common });
  const models = createModelStore({ config: config.models, database, audit, clock });
  const datasets = createDatasets({ database, audit, keys: edgeKeys, registry, clock });
  const trials = createTrials({ config: config.promotion, database, registry, clock });
  const promotions = new Promotions({
    config: config.promotion,
    trials,
    database,
    desired,
    devices,
    registry,
    audit,
    clock,
    log,
  });
  const news = createNews({ config: config.database, cases, devices, ...common });
  const hub = new StreamHub({ news, ...common });
  const approvals = createApprovals({ config: config.approvals, database, desired, registry, clock });
  const personRecalls = createPersonRecalls({ desired, registry, clock });
  const upkeep = createUpkeepService({
    config: config.upkeep,
    edgeSilentMs: config.health.edgeSilentS * 1000,
    edges: config.edges,
    ...{ registry, database, devices, desired, audit, ...common },
  });
  const desk = createDeadLetterDesk({
    ...{ letters: deadLetters, devices, audit, commands: port, clock },
    replay: (edge, lane, record) => intake.replay(edge, lane, record),
  });
  const missing = async () => (await readiness.report()).notReady.map(({ name }) => name);
  const sources = createSources({ config: config.notify, database, devices, upkeep, deadLetters, missing, clock });
  const notify = createNotifyService({ config: config.notify, sources, database, audit, ...common });
  const pictures = new LastPictures({ dir: join(config.centre.dataDir, 'pictures'), log });
  const live = new LiveViews({ config: config.live, pictures, registry, grants, audit, commands: port, ...common });

  const stores = {
    database,
    cases,
    devices,
    desired,
    approvals,
    personRecalls,
    models,
    datasets,
    trials,
    promotions,
    deadLetters,
    evidence,
    edgeKeys,
    releases,
    audit,
    grants,
    sessions,
    notify,
    upkeep,
    desk,
    timeseries,
  };
  const onDatabase = new Persistent({
    name: 'database',
    services: [
      ...[
        database,
        cases,
        devices,
        desired,
        models,
        deadLetters,
        evidence,
        audit,
        grants,
        releases,
        sessions,
        upkeep,
        notify,
        promotions,
        news,
        hub,
        live,
      ],
    ],
    log,
  });
  const onTimeseries = new Persistent({ name: 'time series', services: [timeseries], log });
  const checks = readyChecks({ config, clock, port, onDatabase, onTimeseries, ...stores });
  const readiness = new Readiness({ checks, clock, log });
  const api = createApi({
    ...{ config: config.api, baseMap: config.map, edges: credentials, registry, hub, live, pictures, commands: port, readiness },
    ...stores,
    ...common,
  });
  const health = createHealthSink({ devices, desired, desk, trials, trails: new EdgeTrails({ database, audit, clock }) });
  const intake = createIntake({ port, readings: timeseries, events: cases, health, deadLetters, ...common });
  return { api, onDatabase, onTimeseries, intake, port };
}

interface Needs {
  config: IngestConfig;
  clock: Clock;
  port: IntakePort;
  database: Database;
  timeseries: TimeSeriesStore;
  onDatabase: Persistent;
  onTimeseries: Persistent;
}

/** What `/readyz` asks, and the names that it says. */
function readyChecks({ config, clock, port, database, timeseries, onDatabase, onTimeseries }: Needs): ReadyCheck[] {
  return [
    {
      name: 'database',
      async check() {
        onDatabase.check();
        await database.ping();
      },
    },
    {
      name: 'evidence',
      async check() {
        onDatabase.check();
        await access(config.evidence.dir, constants.W_OK);
      },
    },
    {
      name: 'timeseries',
      async check() {
        onTimeseries.check();
        const now = clock.now();
        await timeseries.count({ from: now - 1, to: now });
      },
    },
    {
      name: 'broker',
      async check() {
        if (!port.ready()) throw new Error('frames cannot come in');
      },
    },
  ];
}

/** The configured broker, and the port that it listens on if it is ours. */
function composePort(
  { broker }: IngestConfig,
  credentials: EdgeCredentials,
  common: { log: Log; metrics: Metrics },
): IntakePort & { listenPort(): number | null } {
  if (broker.embedded) {
    const authenticate = (edge: string, password: Buffer) => credentials.match(edge, password);
    const embedded = createEmbeddedPort({ listener: broker.embedded, limits: broker.embedded.limits, authenticate, ...common });
    return { ...embedded, listenPort: () => embedded.listenPort };
  }
  if (!broker.external) throw new TypeError('a checked configuration names a broker');
  const external = createExternalPort({ config: broker.external, log: common.log });
  return Object.assign(external, { listenPort: () => null });
}
