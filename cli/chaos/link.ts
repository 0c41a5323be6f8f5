import { connect, type MqttClient } from 'mqtt';
import { telemetryTopic } from '#grid/wire/mod.ts';

/** A message with samples `first` to `last` of one device. */
export interface Message {
  device: string;
  first: number;
  last: number;
  payload: string;
  /** Monotonic ms at which its samples were complete. */
  madeAt: number;
}

export interface GatewayLinkOptions {
  port: number;
  id: string;
  secret: string;
  onAcked(message: Message): void;
}

/** Without PUBACK at a time. */
const IN_FLIGHT_MAX = 32;
/** A PUBACK that takes longer never comes: the connection is made anew. */
const PUBACK_MS_MAX = 3_000;
const CONNECT_MS_MAX = 3_000;
const RECONNECT_MS = 250;
const WATCH_MS = 250;

/**
 * A gateway's connection: keeps each message until its PUBACK, over any number of connections, and sends in order. Every
 * connection is a new client: what was on its way when the old one broke is sent again by us, with a new packet id.
 */
export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  #client: MqttClient | null = null;
  #up = false;
  #waiting: Message[] = [];
  #inFlight = new Map<Message, number>();
  #watch: NodeJS.Timeout | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #closed = true;
  /** Connections that came up, and messages that were sent again. */
  connects = 0;
  resent = 0;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
  }

  /** Messages without PUBACK. */
  get pending(): number {
    return this.#waiting.length + this.#inFlight.size;
  }

  open(): void {
    this.#closed = false;
    this.#connect();
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#watch);
    clearTimeout(this.#reconnect);
    this.#client?.end(true);
    this.#client = null;
  }

  send(message: Message): void {
    this.#waiting.push(message);
    this.#pump();
  }

  #connect(): void {
    const { port, id, secret } = this.#options;
    const client = connect(`mqtt://127.0.0.1:${port}`, {
      protocolVersion: 4,
      clean: true,
      clientId: id,
      username: id,
      password: secret,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_MS_MAX,
      keepalive: 10,
    });
    this.#client = client;
    client.on('error', () => undefined);
    client.once('connect', () => {
      this.#up = true;
      this.connects++;
      this.#pump();
    });
    client.once('close', () => this.#lost(client));
  }

  #lost(client: MqttClient): void {
    if (client !== this.#client) return;
    this.#client = null;
    this.#up = false;
    client.end(true);
    this.resent += this.#inFlight.size;
    this.#waiting = [...this.#inFlight.keys(), ...this.#waiting];
    this.#inFlight = new Map();
    if (!this.#closed) this.#reconnect = setTimeout(() => this.#connect(), RECONNECT_MS * (0.5 + Math.random()));
  }

  /** The map is in the order of sending. */
  #look(): void {
    const oldest = this.#inFlight.values().next().value;
    if (oldest !== undefined && performance.now() - oldest > PUBACK_MS_MAX) this.#client?.stream.destroy();
  }

  #pump(): void {
    const client = this.#client;
    if (client === null || !this.#up) return;
    while (this.#inFlight.size < IN_FLIGHT_MAX) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      this.#inFlight.set(message, performance.now());
      client.publish(telemetryTopic(message.device), message.payload, { qos: 1 }, (error) => {
        // A word of an older connection says nothing about this one.
        if (error || client !== this.#client || !this.#inFlight.delete(message)) return;
        this.#options.onAcked(message);
        this.#pump();
      });
    }
  }
}
