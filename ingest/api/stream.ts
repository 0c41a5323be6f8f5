import type { ServerResponse } from 'node:http';
import { type Clock, Counter, Gauge, GewuError, type Log, type Metrics, type Service } from '#service/mod.ts';
import { type News, TOPICS, type Topic } from '../news/mod.ts';

const CLIENTS_MAX = 200;
/** Bytes that wait for one client; one that reads more slowly than the city speaks is closed, and comes back. */
const CLIENT_BYTES_MAX = 256 * 1024;
const HEARTBEAT_MS = 15_000;
/** Messages of so long go out together: to write each to every client by itself is most of what a busy city's stream costs both. */
const GATHER_MS = 25;
/** A burst does not wait: what is told at once must stay far below what may wait for a client. */
const GATHERED_BYTES_MAX = 16 * 1024;
/** What a browser waits before it comes back. */
const RETRY_MS = 2_000;

interface Client {
  response: ServerResponse;
  topics: ReadonlySet<Topic>;
  /** Asked at every heartbeat: a revoked token ends its stream. */
  stillValid: () => Promise<boolean>;
}

interface Message {
  /** Null: for everybody. */
  topic: Topic | null;
  text: string;
}

/**
 * Server-sent events: changes of cases and events, and of health, to every client that asked for them. A message names
 * what changed; the client reads the thing itself, so that a lost message loses nothing. `anew`: changes may have been missed.
 *
 *   news of any replica --(gather)--> one text for each choice of topics --> every client's socket (bounded)
 */
export class StreamHub implements Service {
  readonly #news: News;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #slow: Counter;
  readonly #clients = new Set<Client>();
  #unsubscribe: (() => void)[] = [];
  #heartbeat: NodeJS.Timeout | null = null;
  /** What has not gone out yet. */
  #messages: Message[] = [];
  #gatheredBytes = 0;
  #gathering: NodeJS.Timeout | null = null;

  constructor({ news, clock, log, metrics }: { news: News; clock: Clock; log: Log; metrics: Metrics }) {
    this.#news = news;
    this.#clock = clock;
    this.#log = log;
    this.#slow = new Counter({
      name: 'gewu_stream_closed_slow_total',
      help: 'Live streams closed because their client read too slowly',
      registers: [metrics],
    });
    const clients = this.#clients;
    new Gauge({
      name: 'gewu_stream_clients',
      help: 'Open live streams',
      registers: [metrics],
      collect() {
        this.set(clients.size);
      },
    });
  }

  async start(): Promise<void> {
    this.#unsubscribe = [
      this.#news.on('item', ({ topic, data }) => this.#send(topic, topic, data)),
      this.#news.on('missed', () => this.#send(null, 'anew', { ts: this.#clock.now() })),
    ];
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  async stop(): Promise<void> {
    for (const off of this.#unsubscribe) off();
    this.#unsubscribe = [];
    if (this.#heartbeat) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
    this.#flush();
    this.closeAll();
  }

  /** Ends every stream; clients come back when they can. */
  closeAll(): void {
    for (const client of this.#clients) client.response.end();
    this.#clients.clear();
  }

  /** Takes the response over; headers must not have been sent. Throws GEWU_TOO_MANY_REQUESTS. */
  open(client: Client, headers: Record<string, string>): void {
    this.check();
    const { response } = client;
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#clients.add(client);
    response.once('close', () => this.#clients.delete(client));
    response.on('error', () => this.#clients.delete(client));
  }

  /** Throws GEWU_TOO_MANY_REQUESTS when there is no room for another stream. */
  check(): void {
    if (this.#clients.size >= CLIENTS_MAX)
      throw new GewuError('GEWU_TOO_MANY_REQUESTS', `there are ${CLIENTS_MAX} open streams already`);
  }

  #send(topic: Topic | null, event: string, data: object): void {
    if (this.#clients.size === 0) return;
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#messages.push({ topic, text });
    this.#gatheredBytes += text.length;
    if (this.#gatheredBytes >= GATHERED_BYTES_MAX) this.#flush();
    else this.#gathering ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    if (this.#gathering) clearTimeout(this.#gathering);
    this.#gathering = null;
    const messages = this.#messages;
    this.#messages = [];
    this.#gatheredBytes = 0;
    const texts = new Map<string, string>();
    for (const client of this.#clients) {
      const choice = TOPICS.filter((topic) => client.topics.has(topic)).join();
      const text = texts.get(choice) ?? textOf(messages, client.topics);
      texts.set(choice, text);
      if (text !== '') this.#write(client, text);
    }
  }

  #write(client: Client, text: string): void {
    const { response } = client;
    if (response.writableLength + text.length <= CLIENT_BYTES_MAX) {
      response.write(text);
      return;
    }
    this.#clients.delete(client);
    this.#slow.inc();
    this.#log.info('a live stream was closed: its client reads too slowly');
    response.destroy();
  }

  async #beat(): Promise<void> {
    for (const client of [...this.#clients]) {
      // While the store is away nobody can say; a token that counted so far goes on counting.
      const valid = await client.stillValid().catch(() => true);
      if (valid) this.#write(client, ': heartbeat\n\n');
      else client.response.end();
    }
  }
}

function textOf(messages: readonly Message[], topics: ReadonlySet<Topic>): string {
  return messages.flatMap(({ topic, text }) => (topic === null || topics.has(topic) ? text : [])).join('');
}
