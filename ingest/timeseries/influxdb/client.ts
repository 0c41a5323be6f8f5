import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { InfluxDB } from 'influx';
import { GewuError } from '#service/mod.ts';
import type { InfluxdbTimeSeriesConfig } from '../config.ts';

/** Retention policies, one for each resolution. */
export const RAW = 'raw';
export const MINUTES = 'm1';
export const HOURS = 'h1';

/** A part of an answer of InfluxDB: rows of one measurement and one set of tags. */
export interface InfluxSeries {
  name: string;
  tags?: Record<string, string>;
  columns: string[];
  values: unknown[][];
}

/** What `/write` answered. */
export interface WriteAnswer {
  status: number;
  /** InfluxDB's reason when it is not 2xx. */
  reason: string;
}

const SOCKETS_MAX = 4;
const ANSWER_BYTES_MAX = 64 * 1024;
const compress = promisify(gzip);

/**
 * Talks to one InfluxDB: raw HTTP for the hot path (a third of the CPU of the client library), the library for queries
 * and administration. Everything that may pass by itself throws GEWU_STORE_UNAVAILABLE.
 */
export class InfluxClient {
  readonly #config: InfluxdbTimeSeriesConfig;
  #agent: HttpAgent | HttpsAgent | null = null;
  #influx: InfluxDB | null = null;

  constructor(config: InfluxdbTimeSeriesConfig) {
    this.#config = config;
  }

  async open(): Promise<void> {
    const { url, tls, database, username, password, timeoutMs } = this.#config;
    const { protocol, hostname, port } = new URL(url);
    const secure = protocol === 'https:';
    const read = (file: string | undefined) => (file === undefined ? undefined : readFile(file));
    const [ca, cert, key] = await Promise.all([read(tls?.ca), read(tls?.cert), read(tls?.key)]);
    const pem = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
    const common = { keepAlive: true, maxSockets: SOCKETS_MAX };
    this.#agent = secure ? new HttpsAgent({ ...common, ...pem }) : new HttpAgent(common);
    this.#influx = new InfluxDB({
      hosts: [
        {
          host: hostname,
          port: port === '' ? (secure ? 443 : 80) : Number(port),
          protocol: secure ? 'https' : 'http',
          options: { ...pem, agent: this.#agent },
        },
      ],
      database,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      // One host: never set it aside, the caller decides when to try again.
      pool: { requestTimeout: timeoutMs, maxRetries: 1, backoff: noBackoff },
    });
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = null;
    this.#influx = null;
  }

  /** The database and its retention policies, made or brought to the configured durations. */
  async prepare(): Promise<void> {
    const { database, retention } = this.#config;
    await this.#call((influx) => influx.createDatabase(database));
    const present = await this.#call((influx) => influx.showRetentionPolicies(database));
    const policies = [
      { name: RAW, days: retention.rawDays, isDefault: true },
      { name: MINUTES, days: retention.minuteDays, isDefault: false },
      { name: HOURS, days: retention.hourDays, isDefault: false },
    ];
    for (const { name, days, isDefault } of policies) {
      const options = { database, duration: `${days}d`, replication: 1, isDefault };
      const known = present.find((p) => p.name === name);
      if (!known) await this.#call((influx) => influx.createRetentionPolicy(name, options));
      else if (known.duration !== `${days * 24}h0m0s`) await this.#call((influx) => influx.alterRetentionPolicy(name, options));
    }
  }

  /** Line protocol in us into the raw policy. */
  async write(...body: Buffer[]): Promise<WriteAnswer> {
    const { database, gzip: packed } = this.#config;
    const path = `/write?db=${encodeURIComponent(database)}&rp=${RAW}&precision=u`;
    const parts = packed ? [await compress(Buffer.concat(body), { level: 1 })] : body;
    const headers = {
      'content-type': 'text/plain',
      'content-length': parts.reduce((sum, part) => sum + part.length, 0),
      ...(packed && { 'content-encoding': 'gzip' }),
      ...this.#authorization(),
    };
    try {
      return await this.#post(path, headers, parts);
    } catch (error) {
      // The server closed an idle connection at this moment. Writing twice is writing once.
      if ((error as { reused?: boolean }).reused) return this.#post(path, headers, parts).catch(unavailable);
      return unavailable(error);
    }
  }

  /** Runs statements and gives the series of each. Throws GEWU_STORE_UNAVAILABLE, or GEWU_INTERNAL for a statement that InfluxDB refuses. */
  async query(...statements: string[]): Promise<InfluxSeries[][]> {
    if (statements.length === 0) return [];
    const answer = await this.#call((influx, signal) =>
      influx.queryRaw(statements.join(';'), { precision: 'ms', method: 'POST', signal }),
    );
    return (answer as { results: { series?: InfluxSeries[]; error?: string }[] }).results.map((r, i) => {
      if (r.error?.includes('database not found')) unavailable(new Error(r.error));
      if (r.error !== undefined) throw new GewuError('GEWU_INTERNAL', `InfluxDB: ${r.error}: ${statements[i]}`);
      return r.series ?? [];
    });
  }

  /** The library waits for ever when a connection breaks in the middle of an answer: the signal ends that. */
  async #call<T>(body: (influx: InfluxDB, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (!this.#influx) throw new GewuError('GEWU_STORE_UNAVAILABLE', 'InfluxDB: not started');
    const signal = AbortSignal.timeout(this.#config.timeoutMs);
    const expired = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`no answer within ${this.#config.timeoutMs} ms`)), { once: true });
    });
    return Promise.race([body(this.#influx, signal), expired]).catch(unavailable);
  }

  #authorization(): { authorization?: string } {
    const { username, password } = this.#config;
    if (username === undefined) return {};
    return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
  }

  #post(path: string, headers: Record<string, string | number>, body: readonly Buffer[]): Promise<WriteAnswer> {
    const agent = this.#agent;
    if (!agent) throw new GewuError('GEWU_STORE_UNAVAILABLE', 'InfluxDB: not started');
    const request = agent instanceof HttpsAgent ? httpsRequest : httpRequest;
    const signal = AbortSignal.timeout(this.#config.timeoutMs);
    return new Promise((resolve, reject) => {
      const req = request(new URL(path, this.#config.url), { method: 'POST', headers, agent, signal });
      req.on('response', (res) => readAnswer(res).then(resolve, reject));
      req.on('error', (error) => reject(Object.assign(error, { reused: req.reusedSocket && !signal.aborted })));
      req.cork();
      for (const part of body) req.write(part);
      req.end();
    });
  }
}

async function readAnswer(res: IncomingMessage): Promise<WriteAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= ANSWER_BYTES_MAX) chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: res.statusCode ?? 0, reason: reasonOf(text) };
}

function reasonOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : text;
  } catch {
    return text;
  }
}

function unavailable(error: unknown): never {
  if (error instanceof GewuError) throw error;
  const { message } = error as Error;
  // The library does not export the class of this error; a 400 is a statement that the server does not understand.
  const code = message.startsWith('A 400 ') ? 'GEWU_INTERNAL' : 'GEWU_STORE_UNAVAILABLE';
  throw new GewuError(code, `InfluxDB: ${message}`, { cause: error });
}

const noBackoff = { getDelay: () => 0, next: () => noBackoff, reset: () => noBackoff };
