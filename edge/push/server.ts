import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Counter, closeGently, GewuError, isGewuError, type Log, type Metrics, type Service } from '#service/mod.ts';
import { type Listener, serverTlsOptions, TokenBucket } from '#service/mqtt/mod.ts';
import type { Accounts } from '../accounts.ts';
import type { Mappings } from '../mapping/mod.ts';
import { readBody } from './body.ts';
import { Refusals } from './refusals.ts';

export interface PushServerDeps {
  listener: Listener;
  accounts: Accounts;
  mappings: Mappings;
  log: Log;
  metrics: Metrics;
}

const BODY_BYTES_MAX = 256 * 1024;
const CONNECTIONS_MAX = 256;
const REQUEST_MS_MAX = 10_000;
const HEADERS_MS_MAX = 5_000;
/** How often the two times above are looked at. */
const TIMEOUT_CHECK_MS = 1_000;
/** Of one gateway. */
const REQUESTS_PER_S_MAX = 200;
const RETRY_AFTER_S = 5;

/**
 * Takes what platforms push by HTTP: `POST` on the path of a mapping, with the gateway's id and secret (Basic), or its
 * secret alone (Bearer). 204 says that everything in the body is durable, as readings or as dead letters: as with a
 * PUBACK, what cannot be used is not refused, because the platform would send it for ever.
 */
export class PushServer implements Service {
  readonly #deps: PushServerDeps;
  readonly #requests: Counter<'status'>;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #refusals = new Refusals();
  #server: Server | undefined;
  #port = 0;

  constructor(deps: PushServerDeps) {
    this.#deps = deps;
    this.#requests = new Counter({
      name: 'gewu_push_requests_total',
      help: 'Requests at the push listener, by status',
      labelNames: ['status'],
      registers: [deps.metrics],
    });
  }

  /** After `start`. */
  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const { host, port, tls } = this.#deps.listener;
    const limits = {
      requestTimeout: REQUEST_MS_MAX,
      headersTimeout: HEADERS_MS_MAX,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      maxHeaderSize: 8192,
    };
    const answer = (req: IncomingMessage, res: ServerResponse) => void this.#answer(req, res);
    const server = tls
      ? createTlsServer({ ...(await serverTlsOptions(tls)), handshakeTimeout: HEADERS_MS_MAX, ...limits }, answer)
      : createServer(limits, answer);
    server.maxConnections = CONNECTIONS_MAX;
    server.listen(port, host);
    await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EADDRINUSE' ? 'GEWU_PORT_IN_USE' : 'GEWU_CONFIG_INVALID';
      throw new GewuError(code, `push ${host}:${port}: ${cause.message}`, { cause });
    });
    this.#server = server;
    this.#port = (server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    // A sender that goes away is its own affair.
    req.on('error', () => undefined);
    try {
      await this.#take(req);
      this.#send(res, 204);
    } catch (error) {
      if (req.errored) return;
      const known = isGewuError(error) ? error : new GewuError('GEWU_INTERNAL', (error as Error).message, { cause: error });
      if (known.code === 'GEWU_INTERNAL') this.#deps.log.error({ err: error }, 'push');
      closeGently(req);
      this.#send(res, statusOf(known), known);
    }
  }

  async #take(req: IncomingMessage): Promise<void> {
    const { mappings, accounts } = this.#deps;
    const path = (req.url ?? '').split('?')[0] as string;
    const sender = this.#sender(req.headers.authorization, req.socket.remoteAddress ?? '');
    if (!mappings.hasPath(path)) throw new GewuError('GEWU_NOT_FOUND', `no mapping reads ${path.slice(0, 128)}`);
    if (req.method !== 'POST') throw new GewuError('GEWU_REQUEST_INVALID', `${req.method}: POST is wanted`);
    this.#throttle(sender);
    const payload = await readBody(req, BODY_BYTES_MAX);
    await mappings.takePush({ sender, topic: path, payload, speaksFor: (device) => accounts.speaksFor(sender, device) });
  }

  /** Throws GEWU_UNAUTHORIZED, or GEWU_TOO_MANY_REQUESTS when that happened too often. */
  #sender(authorization: string | undefined, address: string): string {
    const now = performance.now();
    // Before the secret is looked at: a right guess must not stand out.
    if (this.#refusals.blocked(address, now)) throw new GewuError('GEWU_TOO_MANY_REQUESTS', 'too many wrong secrets from there');
    const sender = this.#gateway(authorization ?? '');
    if (sender !== null) return sender;
    this.#refusals.count(address, now);
    throw new GewuError('GEWU_UNAUTHORIZED', 'the id and secret of a gateway (Basic), or its secret (Bearer), are wanted');
  }

  /** Whose credentials these are, or null. */
  #gateway(authorization: string): string | null {
    const { accounts } = this.#deps;
    const [scheme = '', credentials = ''] = authorization.split(' ');
    if (scheme.toLowerCase() === 'bearer') return accounts.gatewayOf(credentials);
    if (scheme.toLowerCase() !== 'basic') return null;
    const text = Buffer.from(credentials, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const name = text.slice(0, Math.max(0, colon));
    return accounts.match(name, text.slice(colon + 1)) && accounts.isGateway(name) ? name : null;
  }

  #throttle(sender: string): void {
    const bucket = this.#buckets.get(sender) ?? new TokenBucket(REQUESTS_PER_S_MAX, performance.now());
    this.#buckets.set(sender, bucket);
    if (!bucket.tryTake(performance.now())) throw new GewuError('GEWU_TOO_MANY_REQUESTS', `${sender} sends too many requests`);
  }

  #send(res: ServerResponse, status: number, error?: GewuError): void {
    this.#requests.inc({ status });
    if (res.headersSent || res.destroyed) return;
    if (error === undefined) {
      res.writeHead(status).end();
      return;
    }
    const headers: Record<string, string> = { 'content-type': 'application/json', connection: 'close' };
    if (status === 401) headers['www-authenticate'] = 'Basic realm="gewu"';
    if (error.remedy === 'retry') headers['retry-after'] = String(RETRY_AFTER_S);
    res.writeHead(status, headers);
    res.end(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
  }
}

function statusOf({ code, status }: GewuError): number {
  // Nothing is durable: the platform is to come again.
  return code === 'GEWU_OUTBOX_BROKEN' ? 503 : status;
}
