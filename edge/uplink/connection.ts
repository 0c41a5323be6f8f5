import { connect as connectMqtt, type IClientOptions } from 'mqtt';
import { ackTopic, commandTopic, configTopic } from '#grid/wire/mod.ts';
import { type Clock, GewuError, type Log, type Service } from '#service/mod.ts';
import { type ClientTls, clientTlsOptions } from '#service/mqtt/mod.ts';
import { Backoff } from './rtt.ts';

/** The part of an MQTT client that the uplink uses; a simulated network has the same. */
export interface Client {
  readonly connected: boolean;
  readonly options: { reconnectPeriod?: number };
  readonly stream: { destroy(): unknown };
  on(event: 'connect' | 'close' | 'packetreceive', listener: () => void): unknown;
  on(event: 'message', listener: (topic: string, payload: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  subscribe(topics: string[], options: { qos: 1 }, done: (error: Error | null) => void): unknown;
  publish(topic: string, payload: Buffer, options: { qos: 1 }, done: (error?: Error) => void): unknown;
  getLastMessageId(): number;
  removeOutgoingMessage(messageId: number): unknown;
  endAsync(force: boolean): Promise<void>;
}
export type Connect = (url: string, options: IClientOptions) => Client;

export interface ConnectionOptions {
  edge: string;
  url: string;
  password: string;
  tls?: ClientTls | undefined;
  clock: Clock;
  log: Log;
  connect?: Connect | undefined;
  /** Frames can be sent, and acks reach us. */
  onUp(): void;
  onDown(): void;
  onMessage(topic: string, payload: Buffer): void;
}

/** With nothing on the way, a dead connection is noticed after one and a half of these, seconds [MQTT-3.1.2-24]. */
const KEEPALIVE_S = 15;
/** With an answer of the broker outstanding, it is noticed after so long without a single packet; doubled per vain try. */
const SILENCE_MS_MIN = 5_000;
const SILENCE_MS_MAX = 1_500 * KEEPALIVE_S;
const CHECK_MS = 500;
const CONNECT_MS_MAX = 10_000;
/** A connection that lasted so long was a good one; after a shorter one the delays go on growing. */
const GOOD_MS = 10_000;
/** The same trouble is told once in so long. */
const SAME_TROUBLE_MS = 600_000;
/** CONNACK: bad user name or password, not authorised (MQTT 3.1.1, table 3.1). */
const REFUSALS = new Set<unknown>([4, 5]);

/** Keeps one connection to the centre's broker, for ever. */
export class Connection implements Service {
  readonly #options: ConnectionOptions;
  readonly #backoff = new Backoff();
  #client: Client | undefined;
  #checkTimer: NodeJS.Timeout | undefined;
  #ready = false;
  #upSince = 0;
  /** PUBACKs and SUBACKs that the broker owes us. */
  #owed = new Set<number | 'suback'>();
  /** Monotonic ms since when the broker owes us something and says nothing; null when it owes nothing. */
  #silentSince: number | null = null;
  #silenceMs = SILENCE_MS_MIN;
  #trouble: { text: string; at: number } | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#client?.connected ?? false;
  }

  /** Connected, and acks can reach us. */
  get ready(): boolean {
    return this.#ready;
  }

  async start(): Promise<void> {
    const { edge, url, password, tls } = this.#options;
    const connect: Connect = this.#options.connect ?? connectMqtt;
    const client = connect(url, {
      ...(await clientTlsOptions(tls)),
      clientId: edge,
      username: edge,
      password,
      protocolVersion: 4,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: CONNECT_MS_MAX,
      reconnectPeriod: this.#backoff.next(),
      reconnectOnConnackError: true,
      resubscribe: false,
      queueQoSZero: false,
    });
    this.#client = client;
    client.on('connect', () => this.#onConnect(client));
    client.on('packetreceive', () => this.#heard());
    client.on('message', this.#options.onMessage);
    client.on('close', () => this.#onClose(client));
    client.on('error', (error) => this.#tell(error));
    this.#checkTimer = setInterval(() => this.#checkSilence(), CHECK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#checkTimer);
    const client = this.#client;
    this.#client = undefined;
    this.#ready = false;
    if (client) await client.endAsync(true);
  }

  /** Hands a message to the broker, best effort; the id is for `forget`, null when there is no connection. */
  send(topic: string, payload: Buffer): number | null {
    const client = this.#client;
    if (client === undefined || !this.#ready) return null;
    // PUBACK says that the broker has it, which is worth nothing but a sign of life: only the centre's own ack counts.
    let id: number | null = null;
    client.publish(topic, payload, { qos: 1 }, () => {
      if (id !== null) this.#owed.delete(id);
    });
    id = client.getLastMessageId();
    this.#owes(id);
    return id;
  }

  /** The client sends again what had no PUBACK when a connection ended; we do so ourselves, and once is enough. */
  forget(messageId: number): void {
    this.#owed.delete(messageId);
    this.#client?.removeOutgoingMessage(messageId);
  }

  /** The centre has answered: this connection is of use. */
  worked(): void {
    this.#silenceMs = SILENCE_MS_MIN;
    this.#forgetFailures();
  }

  #onConnect(client: Client): void {
    const { edge, url, log } = this.#options;
    log.info({ url }, 'uplink connected');
    this.#trouble = null;
    this.#upSince = this.#options.clock.monotonic();
    this.#owes('suback');
    // Acks are lost until the subscription stands, so nothing is sent before.
    client.subscribe([ackTopic(edge), commandTopic(edge), configTopic(edge)], { qos: 1 }, (error) => {
      this.#owed.delete('suback');
      if (client !== this.#client) return;
      if (error || !client.connected) {
        // Without acks nothing can be sent for good: the next connection tries again.
        if (error) this.#tell(error);
        client.stream.destroy();
        return;
      }
      this.#ready = true;
      this.#options.onUp();
    });
  }

  #onClose(client: Client): void {
    const { clock, onDown } = this.#options;
    if (this.#ready && clock.monotonic() - this.#upSince >= GOOD_MS) this.#backoff.reset();
    this.#ready = false;
    this.#owed.clear();
    this.#silentSince = null;
    // The client has set its timer for this try already: this is the delay of the one after.
    client.options.reconnectPeriod = this.#backoff.next();
    onDown();
  }

  /** The next loss of the connection is answered as quickly as the first. */
  #forgetFailures(): void {
    this.#backoff.reset();
    if (this.#client) this.#client.options.reconnectPeriod = this.#backoff.next();
  }

  #owes(what: number | 'suback'): void {
    this.#owed.add(what);
    this.#silentSince ??= this.#options.clock.monotonic();
  }

  #heard(): void {
    this.#silentSince = this.#owed.size > 0 ? this.#options.clock.monotonic() : null;
  }

  /**
   * A path that swallows everything (a NAT that forgot us, a cable cut beyond the modem) sends no FIN. A slow centre is
   * no reason: the broker answers for itself.
   */
  #checkSilence(): void {
    if (!this.#isSilent()) return;
    // What came while this thread was busy is read first.
    setImmediate(() => {
      if (!this.#isSilent()) return;
      this.#tell(new GewuError('GEWU_UPLINK_SILENT', `nothing heard for ${this.#silenceMs} ms`));
      // On a very slow path the first frame takes longer than that: the next try gets more time.
      this.#silenceMs = Math.min(SILENCE_MS_MAX, 2 * this.#silenceMs);
      this.#silentSince = null;
      this.#client?.stream.destroy();
    });
  }

  #isSilent(): boolean {
    if (this.#silentSince === null || this.#owed.size === 0) return false;
    return this.#options.clock.monotonic() - this.#silentSince >= this.#silenceMs;
  }

  /** Once per trouble, not once per try: an edge may be without its centre for a day. */
  #tell(error: Error & { code?: unknown }): void {
    const { clock, log, url } = this.#options;
    const refused = REFUSALS.has(error.code);
    const told = refused ? new GewuError('GEWU_UPLINK_REFUSED', `${url}: ${error.message}`, { cause: error }) : error;
    const now = clock.monotonic();
    if (this.#trouble && this.#trouble.text === told.message && now - this.#trouble.at < SAME_TROUBLE_MS) return;
    this.#trouble = { text: told.message, at: now };
    const { code, hint } = told as Partial<GewuError>;
    log[refused ? 'error' : 'warn']({ error: told.message || String(code), code, hint, url }, 'uplink');
  }
}
