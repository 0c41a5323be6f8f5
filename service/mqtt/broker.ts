import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { GewuError } from '../errors.ts';
import type { Service } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import { Counter, Gauge, type Metrics } from '../metrics.ts';
import type { BrokerLimits, Listener } from './config.ts';
import { PacketSizeGuard, TokenBucket } from './guard.ts';
import { serverTlsOptions } from './tls.ts';

/** Who is on a connection. */
export interface MqttSession {
  clientId: string;
  username: string;
}

export interface PublishRequest {
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
}

/** The rules of one broker. */
export interface BrokerPolicy {
  /** Anonymous clients are refused before this is asked. */
  authenticate(session: MqttSession, password: Buffer): boolean;
  /**
   * The PUBACK waits for this promise, so what it makes durable is durable before the client hears of it.
   * A rejection ends the connection without PUBACK; the client may send again.
   */
  publish(session: MqttSession, request: PublishRequest): Promise<void>;
  subscribe(session: MqttSession, filter: string): boolean;
  connected?(session: MqttSession): void;
  disconnected?(session: MqttSession): void;
}

export interface BrokerOptions {
  listener: Listener;
  limits: BrokerLimits;
  policy: BrokerPolicy;
  log: Log;
  metrics: Metrics;
}

/** A bounded MQTT 3.1.1 broker inside this process (aedes). Sessions are clean, nothing is retained or queued for the absent. */
export interface MqttBroker extends Service {
  /** After `start`. */
  readonly port: number;
  readonly listening: boolean;
  /** To the subscribers that are connected now. */
  publish(topic: string, payload: Buffer, qos: 0 | 1): void;
}

/**
 * 0: aedes queues nothing of its own. With a number (100 by default) it queues what comes beyond it, and releases a long
 * queue by recursion: a subscriber that leaves a backlog ends the process in a stack overflow. What is in flight is
 * bounded by one chunk of the socket per client, because the next one is read when all of it is done.
 */
const CONCURRENCY = 0;
const DRAIN_MS_MAX = 10_000;
/** Half-open QoS 2 messages that a client may leave behind. */
const QOS2_INFLIGHT_MAX = 16;
/** Of one user name: a lost connection lingers beside the new one until its keepalive ends; the oldest goes first. */
const CONNECTIONS_PER_USER_MAX = 8;
const SUBSCRIPTIONS_PER_CLIENT_MAX = 32;
const CLIENT_ID_CHARS_MAX = 128;
/** A client that floods waits; one that would have to wait longer than this is disconnected. */
const THROTTLE_MS_MAX = 10_000;

export function createBroker(options: BrokerOptions): MqttBroker {
  return new Broker(options);
}

class Broker implements MqttBroker {
  readonly #options: BrokerOptions;
  readonly #sessions = new WeakMap<Client, MqttSession>();
  readonly #buckets = new WeakMap<Client, TokenBucket>();
  readonly #sockets = new Set<Socket>();
  /** By user name, the oldest first. */
  readonly #clients = new Map<string, Client[]>();
  readonly #subscriptions = new WeakMap<Client, number>();
  readonly #refused: Counter<'reason'>;
  readonly #connectBucket: TokenBucket;
  #aedes: Aedes | undefined;
  #published = 0;
  #server: Server | undefined;
  #port = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#connectBucket = new TokenBucket(options.limits.connectRatePerSMax, performance.now());
    this.#refused = new Counter({
      name: 'gewu_mqtt_refused_total',
      help: 'Connections and messages that the broker refused, by reason',
      labelNames: ['reason'],
      registers: [options.metrics],
    });
    const sockets = this.#sockets;
    new Gauge({
      name: 'gewu_mqtt_connections',
      help: 'Open connections',
      registers: [options.metrics],
      collect() {
        this.set(sockets.size);
      },
    });
  }

  get port(): number {
    return this.#port;
  }

  get listening(): boolean {
    return this.#server?.listening ?? false;
  }

  async start(): Promise<void> {
    const { listener, limits } = this.#options;
    const aedes = await Aedes.createBroker({
      concurrency: CONCURRENCY,
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: DRAIN_MS_MAX,
      keepaliveLimit: limits.keepaliveSMax,
      maxInflightInbound: QOS2_INFLIGHT_MAX,
      maxTopicLevels: 16,
      heartbeatInterval: 600_000,
    });
    this.#aedes = aedes;
    this.#install(aedes);
    const accept = (socket: Socket) => this.#accept(aedes, socket);
    const server = listener.tls
      ? createTlsServer({ ...(await serverTlsOptions(listener.tls)), handshakeTimeout: limits.connectTimeoutMs }, accept)
      : createServer(accept);
    // `accept` sees a TLS client after its handshake only; this counts those that have not finished one, too.
    server.maxConnections = limits.clientsMax;
    // A handshake that fails is the client's affair.
    server.on('tlsClientError', () => this.#refused.inc({ reason: 'tls' }));
    server.listen(listener.port, listener.host);
    await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
      const what = `MQTT ${listener.host}:${listener.port}: ${cause.message}`;
      throw new GewuError(cause.code === 'EADDRINUSE' ? 'GEWU_PORT_IN_USE' : 'GEWU_CONFIG_INVALID', what, { cause });
    });
    this.#server = server;
    this.#port = (server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    const aedes = this.#aedes;
    this.#server = undefined;
    this.#aedes = undefined;
    if (server) {
      const closed = once(server, 'close');
      server.close();
      for (const socket of this.#sockets) socket.destroy();
      await closed;
    }
    if (aedes) await new Promise<void>((resolve) => aedes.close(() => resolve()));
  }

  publish(topic: string, payload: Buffer, qos: 0 | 1): void {
    const aedes = this.#aedes;
    // aedes delivers QoS 1 a little later than QoS 0, and then takes what a newer message has overtaken for a duplicate and
    // drops it: each QoS counts for itself.
    const identity = { brokerId: `${aedes?.id}/${qos}`, brokerCounter: ++this.#published };
    aedes?.publish({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, ...identity }, (error) => {
      if (error) this.#options.log.warn({ topic, error: error.message }, 'publish failed');
    });
  }

  #accept(aedes: Aedes, socket: Socket): void {
    const { limits } = this.#options;
    if (this.#sockets.size >= limits.clientsMax || !this.#connectBucket.tryTake(performance.now())) {
      this.#refused.inc({ reason: 'too_many_connections' });
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#guard(socket);
    aedes.handle(socket);
  }

  /** aedes reads by `socket.read()`: every chunk passes the size guard on its way. */
  #guard(socket: Socket): void {
    const guard = new PacketSizeGuard(this.#options.limits.packetBytesMax);
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      const chunk = read(size) as Buffer | null;
      if (chunk === null || guard.accept(chunk)) return chunk;
      this.#refused.inc({ reason: 'packet_too_large' });
      socket.destroy();
      return null;
    };
  }

  #install(aedes: Aedes): void {
    const { policy, log } = this.#options;
    aedes.preConnect = (_client, packet, done) => {
      // Nothing is kept for the absent: every session is clean.
      packet.clean = true;
      const tooLong = packet.clientId.length > CLIENT_ID_CHARS_MAX;
      // The client id that ends an older connection [MQTT-3.1.4-2] is one's own: nobody can push another user out.
      if (packet.clientId !== '') packet.clientId = `${packet.username ?? ''}/${packet.clientId}`;
      done(tooLong ? new Error('client id too long') : null, !tooLong);
    };
    aedes.authenticate = (client, username, password, done) => {
      const own = `${username ?? ''}/`;
      const clientId = client.id.startsWith(own) ? client.id.slice(own.length) : client.id;
      const session: MqttSession = { clientId, username: username ?? '' };
      if (username && password !== undefined && policy.authenticate(session, Buffer.from(password))) {
        this.#sessions.set(client, session);
        done(null, true);
        return;
      }
      this.#refused.inc({ reason: 'credentials' });
      log.warn({ client: client.id.slice(0, 64), username: username?.slice(0, 64) }, 'MQTT client refused');
      // 4: bad user name or password [MQTT-3.2.2-5].
      done(Object.assign(new Error('bad user name or password'), { returnCode: 4 }) as AuthenticateError, null);
    };
    aedes.authorizePublish = (client, packet, done) => {
      packet.retain = false;
      this.#authorize(client, { topic: packet.topic, payload: toBuffer(packet.payload), qos: packet.qos }).then(
        () => done(null),
        (error: Error) => {
          this.#refused.inc({ reason: 'publish' });
          done(error);
        },
      );
    };
    aedes.authorizeSubscribe = (client, subscription, done) => {
      const session = this.#sessions.get(client);
      const count = (this.#subscriptions.get(client) ?? 0) + 1;
      const granted = session && count <= SUBSCRIPTIONS_PER_CLIENT_MAX && policy.subscribe(session, subscription.topic);
      if (granted) this.#subscriptions.set(client, count);
      // null grants nothing: the client sees the failure code in its SUBACK [MQTT-3.9.3].
      done(null, granted ? subscription : null);
    };
    aedes.on('clientReady', (client) => {
      const session = this.#sessions.get(client);
      if (session === undefined) return;
      this.#enter(session, client);
      policy.connected?.(session);
    });
    aedes.on('clientDisconnect', (client) => {
      const session = this.#sessions.get(client);
      if (session === undefined) return;
      this.#leave(session, client);
      policy.disconnected?.(session);
    });
    aedes.on('clientError', (client, error) => log.debug({ client: client.id, error: error.message }, 'MQTT client error'));
    aedes.on('connectionError', (_client, error) => log.debug({ error: error.message }, 'MQTT connection error'));
  }

  #enter({ username }: MqttSession, client: Client): void {
    const clients = this.#clients.get(username) ?? [];
    this.#clients.set(username, clients);
    clients.push(client);
    if (clients.length <= CONNECTIONS_PER_USER_MAX) return;
    this.#refused.inc({ reason: 'too_many_of_one_user' });
    clients.shift()?.close();
  }

  #leave({ username }: MqttSession, client: Client): void {
    const left = this.#clients.get(username)?.filter((c) => c !== client) ?? [];
    if (left.length === 0) this.#clients.delete(username);
    else this.#clients.set(username, left);
  }

  /** Runs for every message, and so makes no promise of its own. */
  #authorize(client: Client | null, request: PublishRequest): Promise<void> {
    // Our own messages have no client.
    if (client === null) return Promise.resolve();
    const session = this.#sessions.get(client);
    if (session === undefined) return Promise.reject(new Error('no session'));
    let bucket = this.#buckets.get(client);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#options.limits.messagesPerSPerClientMax, performance.now());
      this.#buckets.set(client, bucket);
    }
    const { policy } = this.#options;
    const waitMs = bucket.take(performance.now());
    if (waitMs === 0) return policy.publish(session, request);
    if (waitMs > THROTTLE_MS_MAX) return Promise.reject(new Error('message rate'));
    this.#refused.inc({ reason: 'throttled' });
    return pause(waitMs, undefined, { ref: false }).then(() => policy.publish(session, request));
  }
}

function toBuffer(payload: string | Buffer): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}
