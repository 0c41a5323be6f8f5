import { randomBytes } from 'node:crypto';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import {
  type Ack,
  ackTopic,
  type Command,
  type ConfigNotice,
  commandTopic,
  configTopic,
  FRAME_BYTES_MAX,
  UP_FILTER,
} from '#grid/wire/mod.ts';
import type { Log } from '#service/mod.ts';
import { type ClientTls, clientTlsOptions } from '#service/mqtt/mod.ts';
import type { FrameReceiver, IntakePort } from './port.ts';

export interface ExternalPortOptions {
  config: {
    /** `mqtt://` or `mqtts://` */
    url: string;
    username?: string | undefined;
    password?: string | undefined;
    tls?: ClientTls | undefined;
    /** Replicas of one group share the frames (MQTT 5 shared subscription). */
    sharedGroup?: string | undefined;
  };
  /** `start` waits so long for the broker; after that it goes on, and `ready` tells when it came. Default 5 s. */
  startMsMax?: number;
  log: Log;
}

const START_MS_MAX = 5_000;
const RECONNECT_MS = 1_000;
const CONNECT_MS_MAX = 10_000;
const LOG_EVERY_MS = 10_000;
/** QoS 1 messages under way at a time (MQTT 5): more would only wait in our memory. */
const RECEIVE_MAX = 256;

/**
 * Frames from a broker that the city runs. Its ACL must keep each edge to its own topics; an edge
 * that gets past it still cannot speak for another inside a frame.
 * The session is clean: what the broker would keep for us the edges send again anyway.
 */
export function createExternalPort(options: ExternalPortOptions): IntakePort {
  return new ExternalPort(options);
}

class ExternalPort implements IntakePort {
  readonly #options: ExternalPortOptions;
  #receive: FrameReceiver = () => undefined;
  #client: MqttClient | null = null;
  #subscribed = false;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ExternalPortOptions) {
    this.#options = options;
  }

  onFrame(receive: FrameReceiver): void {
    this.#receive = receive;
  }

  ready(): boolean {
    return this.#subscribed && this.#client?.connected === true;
  }

  async start(): Promise<void> {
    const client = connect(this.#options.config.url, await this.#clientOptions());
    this.#client = client;
    client.on('message', (topic, payload) => this.#receive(topic, payload));
    client.on('error', (error) => this.#warn('MQTT broker', error));
    client.on('close', () => {
      this.#subscribed = false;
    });
    const subscribed = new Promise<void>((resolve) => {
      client.on('connect', () => this.#subscribe(client, resolve));
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#warn('MQTT broker does not answer yet', undefined);
        resolve();
      }, this.#options.startMsMax ?? START_MS_MAX);
    });
    await Promise.race([subscribed, late]);
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    this.#subscribed = false;
    if (!client) return;
    // Lets what is under way leave, without waiting for a broker that is gone.
    await client.endAsync(!client.connected);
  }

  ack(edge: string, ack: Ack): void {
    this.#publish(ackTopic(edge), JSON.stringify(ack), 0);
  }

  send(edge: string, command: Command): void {
    this.#publish(commandTopic(edge), JSON.stringify(command), 1);
  }

  notify(notice: ConfigNotice): void {
    this.#publish(configTopic(notice.edge), JSON.stringify(notice), 1);
  }

  /** Nothing is kept for a broker that is not there. */
  #publish(topic: string, payload: string, qos: 0 | 1): void {
    if (!this.#client?.connected) return;
    this.#client.publish(topic, payload, { qos }, (error) => {
      if (error) this.#warn(`publish ${topic}`, error);
    });
  }

  #subscribe(client: MqttClient, done: () => void): void {
    const { sharedGroup } = this.#options.config;
    const filter = sharedGroup === undefined ? UP_FILTER : `$share/${sharedGroup}/${UP_FILTER}`;
    client.subscribe(filter, { qos: 1 }, (error, granted) => {
      if (error || granted?.some((g) => g.qos >= 128)) {
        this.#warn(`subscription ${filter} refused`, error);
        // The connection is made anew, and with it the subscription: the ACL may have been mended.
        if (client === this.#client) client.stream.destroy();
        return;
      }
      this.#subscribed = true;
      done();
    });
  }

  async #clientOptions(): Promise<IClientOptions> {
    const { username, password, tls, sharedGroup } = this.#options.config;
    return {
      clientId: `gewu-centre-${randomBytes(6).toString('hex')}`,
      // Shared subscriptions are MQTT 5; everything else is the same in 3.1.1.
      protocolVersion: sharedGroup === undefined ? 4 : 5,
      ...(sharedGroup !== undefined && {
        properties: { receiveMaximum: RECEIVE_MAX, maximumPacketSize: FRAME_BYTES_MAX + 1024 },
      }),
      clean: true,
      resubscribe: false,
      queueQoSZero: false,
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: CONNECT_MS_MAX,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(await clientTlsOptions(tls)),
    };
  }

  #warn(message: string, error: unknown): void {
    const now = performance.now();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    this.#options.log.warn({ err: error, url: this.#options.config.url }, message);
  }
}
