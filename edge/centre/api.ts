import { once } from 'node:events';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import type { Clock, Service } from '#service/mod.ts';
import { type ClientTls, clientTlsOptions } from '#service/mqtt/mod.ts';

export interface CentreApiDeps {
  /** Of the centre: `https://centre:8443`; the API's path follows. */
  url: string;
  edgeId: string;
  password: string;
  /** PEM files, where the centre's certificate is not one that the machine trusts, or wants one of ours. */
  tls?: ClientTls | undefined;
  clock: Clock;
}

export interface CentreRequest {
  headers?: Record<string, string>;
  content?: Buffer | undefined;
  signal?: AbortSignal;
}

export interface CentreAnswer {
  status: number;
  body: Buffer;
}

const REQUEST_MS_MAX = 30_000;
/** Large files get more: 16 MiB on a line of 1 Mbit/s take 134 s. */
const REQUEST_MS_PER_MIB = 10_000;
/** Evidence one file after the other; beside it what a person waits for, the desired state, a model that takes long. */
const CONNECTIONS_MAX = 4;
const ANSWER_BYTES_MAX = 64 * 1024;
const OFFSET_AGE_MS_MAX = 3_600_000;

/** The centre's API, as an edge may use it, with its id and password: all that a node asks by HTTP goes this way. */
export class CentreApi implements Service {
  readonly #deps: CentreApiDeps;
  #agent: HttpAgent | HttpsAgent | null = null;
  readonly #requests = new Set<ClientRequest>();
  #offset: { ms: number; measuredMs: number } | null = null;

  constructor(deps: CentreApiDeps) {
    this.#deps = deps;
  }

  /** Throws when a certificate file cannot be read. */
  async start(): Promise<void> {
    this.#agent ??= await this.#createAgent();
  }

  /** Requests under way fail. */
  async stop(): Promise<void> {
    for (const request of this.#requests) request.destroy(new Error('the edge stops'));
    this.#agent?.destroy();
    this.#agent = null;
  }

  /** Our clock less the centre's, ms, to the second; null when we have not spoken within the hour. */
  get clockOffsetMs(): number | null {
    const { clock } = this.#deps;
    if (this.#offset === null || clock.monotonic() - this.#offset.measuredMs > OFFSET_AGE_MS_MAX) return null;
    return this.#offset.ms;
  }

  /**
   * The open answer, which the caller reads or destroys; `path` begins with `/api/v1/`. Throws when there is none; only `signal` bounds
   * its time.
   */
  async open(method: string, path: string, { headers = {}, content, signal }: CentreRequest = {}): Promise<IncomingMessage> {
    const { url, edgeId, password, clock } = this.#deps;
    const target = new URL(path, url);
    const options = {
      method,
      agent: this.#agent ?? undefined,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        authorization: `Basic ${Buffer.from(`${edgeId}:${password}`).toString('base64')}`,
        'content-length': content?.length ?? 0,
        ...headers,
      },
    };
    const request = target.protocol === 'https:' ? httpsRequest(target, options) : httpRequest(target, options);
    this.#requests.add(request);
    request.once('close', () => this.#requests.delete(request));
    // `once` tells of errors while it waits; one that comes in between must not take the process with it.
    request.on('error', () => {});
    request.end(content);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const dateMs = Date.parse(response.headers.date ?? '');
    // The header's second has begun, it is half over on average.
    if (Number.isFinite(dateMs)) this.#offset = { ms: Math.round(clock.now() - dateMs - 500), measuredMs: clock.monotonic() };
    return response;
  }

  /** A small answer, whole; what is longer is cut. Throws when the centre does not answer in time. */
  async request(method: string, path: string, { content, signal, ...rest }: CentreRequest = {}): Promise<CentreAnswer> {
    const timeout = AbortSignal.timeout(REQUEST_MS_MAX + Math.ceil((content?.length ?? 0) / 1024 ** 2) * REQUEST_MS_PER_MIB);
    const signals = AbortSignal.any([timeout, ...(signal === undefined ? [] : [signal])]);
    const response = await this.open(method, path, { ...rest, content, signal: signals });
    return { status: response.statusCode ?? 0, body: await beginningOf(response) };
  }

  async #createAgent(): Promise<HttpAgent | HttpsAgent> {
    const { url, tls } = this.#deps;
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
    if (!url.startsWith('https:')) return new HttpAgent(options);
    return new HttpsAgent({ ...options, ...((await clientTlsOptions(tls)) as object) });
  }
}

/** Read to its end, so that the connection can be used again. */
async function beginningOf(answer: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (bytes < ANSWER_BYTES_MAX) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks);
}
