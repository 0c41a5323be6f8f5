import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyServerOptions } from 'fastify';
import type { Lane } from '#grid/wire/mod.ts';
import { type Clock, GewuError, Histogram, type Log, type Metrics, type Service } from '#service/mod.ts';
import type { Approvals, PersonRecalls } from '../approvals/mod.ts';
import type { Audit } from '../audit/mod.ts';
import { type BaseMapConfig, tileOrigins } from '../basemap/mod.ts';
import type { CaseService } from '../cases/mod.ts';
import type { Database } from '../database/mod.ts';
import type { Datasets } from '../datasets/mod.ts';
import type { DeadLetterDesk, DeadLetterStore } from '../deadletters/mod.ts';
import type { DesiredService } from '../desired/mod.ts';
import type { DeviceService, Registry } from '../devices/mod.ts';
import type { EdgeKeys, EvidenceStore, Releases } from '../evidence/mod.ts';
import type { Grants } from '../grants/mod.ts';
import type { LastPictures, LiveViews } from '../live/mod.ts';
import type { NotifyService } from '../notify/mod.ts';
import type { ModelStore } from '../packages/mod.ts';
import type { CommandSender } from '../ports.ts';
import { type ReplicaState, Replicas } from '../replicas/mod.ts';
import type { SessionService } from '../sessions/mod.ts';
import type { TimeSeriesStore } from '../timeseries/mod.ts';
import type { Promotions, Trials } from '../trials/mod.ts';
import type { UpkeepService } from '../upkeep/mod.ts';
import { createVerdicts, type Verdicts } from '../verdicts/mod.ts';
import { Coverage } from '../watching/mod.ts';
import { Authenticator, type EdgeCredentials, TokenAccounts } from './auth/mod.ts';
import type { ApiConfig } from './config.ts';
import { installCompression } from './http/compress.ts';
import { errorBody, installErrors, onClientError, toGewuError } from './http/errors.ts';
import { installHeaders, securityHeaders } from './http/headers.ts';
import { installOpenApi } from './http/openapi.ts';
import { installUpgrades } from './http/upgrade.ts';
import { type TypeBoxProvider, validatorCompiler } from './http/validate.ts';
import { PipelineMeter } from './pipeline.ts';
import type { Readiness } from './readiness.ts';
import { ROUTES } from './routes/mod.ts';
import { Situation } from './situation.ts';
import { installConsole } from './static.ts';
import type { StreamHub } from './stream.ts';

export interface ApiDependencies {
  config: ApiConfig;
  baseMap: BaseMapConfig;
  /** Who may upload evidence with Basic credentials. */
  edges: EdgeCredentials;
  database: Database;
  cases: CaseService;
  devices: DeviceService;
  desired: DesiredService;
  approvals: Approvals;
  personRecalls: PersonRecalls;
  models: ModelStore;
  datasets: Datasets;
  trials: Trials;
  promotions: Promotions;
  registry: Registry;
  deadLetters: DeadLetterStore;
  desk: DeadLetterDesk;
  sessions: SessionService;
  notify: NotifyService;
  upkeep: UpkeepService;
  evidence: EvidenceStore;
  edgeKeys: EdgeKeys;
  releases: Releases;
  audit: Audit;
  grants: Grants;
  timeseries: TimeSeriesStore;
  hub: StreamHub;
  live: LiveViews;
  pictures: LastPictures;
  commands: CommandSender;
  readiness: Readiness;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** What a route file gets. */
export interface RouteContext extends ApiDependencies {
  situation: Situation;
  coverage: Coverage;
  pipeline: PipelineMeter;
  replicas: Replicas;
  verdicts: Verdicts;
  tokens: TokenAccounts;
  authenticator: Authenticator;
}

export interface Api extends Service {
  /** `http(s)://host:port`, after `start`. */
  readonly url: string;
  /** Says from now on that this replica runs: when all of it does, or it would say that it is not ready, and be believed for a moment. */
  join(): Promise<void>;
}

/** A request must have arrived within this, body and all. */
const REQUEST_MS_MAX = 60_000;
const CONNECTIONS_MAX = 2_000;
/** `stop` waits so long for answers under way. */
const DRAIN_MS_MAX = 700;
const PARAM_CHARS_MAX = 128;

/** Builds the HTTP API; `start()` listens. It answers whatever state the stores are in. */
export function createApi(dependencies: ApiDependencies): Api {
  return new HttpApi(dependencies);
}

class HttpApi implements Api {
  readonly #deps: ApiDependencies;
  readonly #context: RouteContext;
  readonly #seconds: Histogram<'method' | 'route' | 'status'>;
  #app: FastifyInstance | null = null;
  #url = '';

  constructor(dependencies: ApiDependencies) {
    this.#deps = dependencies;
    const { database, clock, config, edges, sessions, metrics } = dependencies;
    const tokens = new TokenAccounts({ database, clock, fixed: config.tokens });
    const pipeline = new PipelineMeter(dependencies);
    this.#context = {
      ...dependencies,
      situation: new Situation(dependencies),
      coverage: new Coverage(dependencies),
      pipeline,
      replicas: new Replicas({
        ...dependencies,
        nameOf: () => `${hostname()}:${new URL(this.#url).port}`,
        state: () => stateOf(pipeline),
      }),
      verdicts: createVerdicts({ database, clock }),
      tokens,
      authenticator: new Authenticator({ tokens, sessions, edges, clock, metrics }),
    };
    this.#seconds = new Histogram({
      name: 'gewu_http_request_seconds',
      help: 'Time from request to answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers: [metrics],
    });
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    const { config, log } = this.#deps;
    const app = await this.#build();
    this.#app = app;
    await this.#context.pipeline.start();
    await app.listen({ host: config.host, port: config.port }).catch(async (cause: NodeJS.ErrnoException) => {
      await this.stop();
      const code = cause.code === 'EADDRINUSE' || cause.code === 'EACCES' ? 'GEWU_PORT_IN_USE' : 'GEWU_CONFIG_INVALID';
      throw new GewuError(code, `API ${config.host}:${config.port}: ${cause.message}`, { cause });
    });
    app.server.maxConnections = CONNECTIONS_MAX;
    this.#url = urlOf(app, config);
    if (!config.tls && !isLoopback(config.host))
      log.warn({ host: config.host }, 'the API listens beyond this machine without TLS');
    log.info({ url: this.#url }, 'the API listens');
  }

  join(): Promise<void> {
    return this.#context.replicas.start();
  }

  async stop(): Promise<void> {
    const app = this.#app;
    this.#app = null;
    if (app === null) return;
    // Of a database that does not answer nobody needs to wait for that.
    const left = this.#context.replicas.stop();
    await this.#context.pipeline.stop();
    this.#deps.hub.closeAll();
    this.#deps.live.closeAll();
    const late = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS_MAX);
    await app.close().finally(() => clearTimeout(late));
    await left;
  }

  async #build(): Promise<FastifyInstance> {
    const { config, baseMap, log } = this.#deps;
    const app = fastify({ ...serverOptions(config), ...(await tlsOptions(config)) }) as FastifyInstance;
    app.setValidatorCompiler(validatorCompiler as never);
    // Answers are built field by field here; their schemas document them and are checked by the tests.
    app.setSerializerCompiler(() => (data) => JSON.stringify(data));
    app.decorateRequest('account', null);
    app.decorateRequest('edge', null);
    // Before the authenticator, so that refusals have them too.
    installHeaders(app, config.tls !== undefined);
    app.addHook('onRequest', this.#context.authenticator.onRequest);
    app.addHook('onResponse', async (request, reply) => {
      const { method, is404, routeOptions } = request;
      const route = is404 ? 'unknown' : (routeOptions.url ?? 'unknown');
      this.#seconds.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    });
    installErrors(app, log);
    installCompression(app);
    installUpgrades(app);
    await installOpenApi(app);
    await installConsole(app, { log, tileOrigins: tileOrigins(baseMap) });
    for (const route of ROUTES)
      await app.register(async (scope) => route(scope.withTypeProvider<TypeBoxProvider>(), this.#context));
    await app.ready();
    return app;
  }
}

function serverOptions({ bodyLimitBytes, trustedProxies, tls }: ApiConfig): FastifyServerOptions {
  return {
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: REQUEST_MS_MAX,
    // What is being answered is answered; `stop` cuts what takes longer.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PARAM_CHARS_MAX },
    clientErrorHandler: onClientError,
    // A path that cannot be decoded, or is too long for any of ours.
    frameworkErrors: (error, _request, reply: unknown) => {
      const told = toGewuError(error);
      const answer = (reply as FastifyReply).code(told.status).headers(securityHeaders(tls !== undefined));
      void answer.send(errorBody(told.code, told.message));
    },
    ...(trustedProxies.length > 0 ? { trustProxy: trustedProxies } : {}),
  };
}

/** Throws GEWU_CONFIG_UNREADABLE. */
async function tlsOptions({ tls }: ApiConfig): Promise<{ https?: object }> {
  if (tls === undefined) return {};
  const read = (file: string) =>
    readFile(file).catch((cause: Error) => {
      throw new GewuError('GEWU_CONFIG_UNREADABLE', `${file}: ${cause.message}`, { cause });
    });
  const [cert, key, ca] = [await read(tls.cert), await read(tls.key), tls.ca === undefined ? undefined : await read(tls.ca)];
  const clients = ca ? { ca, requestCert: true, rejectUnauthorized: true } : {};
  return { https: { cert, key, minVersion: 'TLSv1.2', ...clients } };
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.');

function urlOf(app: FastifyInstance, { host, tls }: ApiConfig): string {
  const { port } = app.server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${tls ? 'https' : 'http'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** What this replica tells the others of itself. */
async function stateOf(pipeline: PipelineMeter): Promise<ReplicaState> {
  const { lanes, stores } = await pipeline.report();
  const perS = (lane: Lane) => lanes.find((l) => l.lane === lane)?.storedPerS ?? 0;
  const notReady = stores.filter((s) => !s.ready).map((s) => s.name);
  return { readingsPerS: perS('readings'), eventsPerS: perS('events'), notReady };
}
