import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock, Log, Service } from '#service/mod.ts';
import type { ClientTls } from '#service/mqtt/mod.ts';
import type { EvidenceStore, PendingFile } from './store.ts';

export interface UploaderDeps {
  store: EvidenceStore;
  /** Of the centre: `https://centre:8443`; the API's path follows. */
  url: string;
  edgeId: string;
  password: string;
  /** PEM files, where the centre's certificate is not one that the machine trusts, or wants one of ours. */
  tls?: ClientTls | undefined;
  log: Log;
  clock: Clock;
  random?: () => number;
  /** First wait after a failure, ms; 1000 unless told. */
  backoffMsMin?: number;
}

const BACKOFF_MS_MIN = 1000;
const BACKOFF_MS_MAX = 60_000;
const REQUEST_MS_MAX = 30_000;
/** The centre has it, now or from before. */
const DONE: ReadonlySet<number> = new Set([200, 201, 204, 409]);
/** The same bytes will never be taken. */
const HOPELESS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

interface Retry {
  attempts: number;
  dueMs: number;
}

/**
 * Sends evidence to the centre, one file at a time, until the centre has it; never in the way of events.
 *
 *   pending --PUT--> 200, 201, 204, 409: sent | 400, 413, 415, 422: given up | anything else: backoff, others go first
 */
export class EvidenceUploader implements Service {
  readonly #deps: UploaderDeps;
  #agent: HttpAgent | HttpsAgent | null = null;
  readonly #retries = new Map<string, Retry>();
  #wake: (() => void) | null = null;
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  #request: ClientRequest | null = null;
  #sent = 0;
  #failures = 0;

  constructor(deps: UploaderDeps) {
    this.#deps = deps;
  }

  /** Throws when a certificate file cannot be read. */
  async start(): Promise<void> {
    this.#agent = await this.#createAgent();
    this.#running = true;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#request?.destroy(new Error('the edge stops'));
    this.#wake?.();
    await this.#loop;
    this.#agent?.destroy();
  }

  /** Something new is in the store. */
  notify(): void {
    this.#wake?.();
  }

  stats(): { sent: number; failures: number } {
    return { sent: this.#sent, failures: this.#failures };
  }

  async #run(): Promise<void> {
    while (this.#running) {
      const nowMs = this.#deps.clock.monotonic();
      const pending = this.#deps.store.pending();
      const due = pending.find((file) => (this.#retries.get(file.sha256)?.dueMs ?? 0) <= nowMs);
      if (due === undefined) {
        const waits = pending.map((file) => (this.#retries.get(file.sha256)?.dueMs ?? 0) - nowMs);
        await this.#pause(Math.min(BACKOFF_MS_MAX, ...waits));
      } else await this.#upload(due);
    }
  }

  async #upload(file: PendingFile): Promise<void> {
    const { store, log } = this.#deps;
    try {
      const content = await store.read(file.sha256);
      const status = content === null ? 'gone' : await this.#put(file, content);
      if (status === 'gone' || HOPELESS.has(status)) {
        log.error({ sha256: file.sha256, event: file.event, status }, 'evidence given up');
        await store.giveUp(file.sha256);
      } else if (DONE.has(status)) {
        await store.markSent(file.sha256);
        this.#sent++;
      } else throw new Error(`the centre answered ${status}`);
      this.#retries.delete(file.sha256);
    } catch (error) {
      if (this.#running) this.#later(file, error as Error);
    }
  }

  #later(file: PendingFile, error: Error): void {
    const { clock, log, random = Math.random, backoffMsMin = BACKOFF_MS_MIN } = this.#deps;
    const attempts = (this.#retries.get(file.sha256)?.attempts ?? 0) + 1;
    const waitMs = Math.min(BACKOFF_MS_MAX, backoffMsMin * 2 ** Math.min(16, attempts - 1)) * (0.5 + random());
    this.#retries.set(file.sha256, { attempts, dueMs: clock.monotonic() + waitMs });
    this.#failures++;
    log.warn({ sha256: file.sha256, attempts, err: error.message, againInMs: Math.round(waitMs) }, 'evidence not sent');
  }

  async #put(file: PendingFile, content: Buffer): Promise<number> {
    const { edgeId, password } = this.#deps;
    const url = new URL(`api/v1/evidence/${file.sha256}`, this.#deps.url.replace(/\/*$/, '/'));
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, {
      method: 'PUT',
      agent: this.#agent ?? undefined,
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
      headers: {
        authorization: `Basic ${Buffer.from(`${edgeId}:${password}`).toString('base64')}`,
        'content-type': file.mediaType,
        'content-length': content.length,
        'x-gewu-event': file.event,
      },
    });
    this.#request = request;
    // `once` tells of errors while it waits; one that comes in between must not take the process with it.
    request.on('error', () => {});
    try {
      request.end(content);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      return response.statusCode ?? 0;
    } finally {
      this.#request = null;
    }
  }

  async #createAgent(): Promise<HttpAgent | HttpsAgent> {
    const { url, tls } = this.#deps;
    const options = { keepAlive: true, maxSockets: 1 };
    if (!url.startsWith('https:')) return new HttpAgent(options);
    const read = async (file: string | undefined) => (file === undefined ? undefined : readFile(file));
    const [ca, cert, key] = await Promise.all([read(tls?.ca), read(tls?.cert), read(tls?.key)]);
    return new HttpsAgent({
      ...options,
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
      ...(tls?.serverName ? { servername: tls.serverName } : {}),
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, Math.max(5, ms));
      this.#wake = done;
    });
  }
}
