import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { type HealthState, statusTopic } from '#grid/wire/mod.ts';
import type { Log } from '#service/mod.ts';
import { type ClientTls, clientTlsOptions } from '#service/mqtt/mod.ts';
import type { Dice } from '../cameras/street/mod.ts';

const CONNECT_MS_MAX = 10_000;
const KEEPALIVE_S = 30;
/** A PUBACK that takes longer never comes: the connection is given up. */
const PUBACK_MS_MAX = 15_000;
const BACKOFF_MS_MIN = 400;
const BACKOFF_MS_MAX = 15_000;
const END_MS_MAX = 1_000;

export interface LinkConfig {
  /** `mqtt://` or `mqtts://`. */
  url: string;
  device: string;
  secret: string;
  tls?: ClientTls;
}

export interface LinkDeps {
  config: LinkConfig;
  dice: Dice;
  log: Log;
  onUp(): void;
}

export interface LinkStats {
  /** Connections that came up. */
  connects: number;
  /** Attempts that the broker or the network refused. */
  refused: number;
}

/**
 * One device's connection to its broker (MQTT 3.1.1, clean session), with will and birth, made anew after a random pause
 * that doubles. Every connection is a new client: what was on its way when the old one broke is the device's to repeat.
 */
export class DeviceLink {
  readonly #deps: LinkDeps;
  #client: MqttClient | null = null;
  #tls: IClientOptions = {};
  #up = false;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = true;
  readonly stats: LinkStats = { connects: 0, refused: 0 };

  constructor(deps: LinkDeps) {
    this.#deps = deps;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Begins to connect, and keeps at it until `close`. Throws when the TLS files cannot be read. */
  async open(): Promise<void> {
    this.#tls = await clientTlsOptions(this.#deps.config.tls);
    this.#closed = false;
    this.#connect();
  }

  /** Says good-bye; within a second. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    if (client === null) return;
    if (this.#up) await this.publish(statusTopic(this.#deps.config.device), stateOf('offline'), END_MS_MAX);
    this.#drop();
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, END_MS_MAX);
      client.end(false, {}, () => {
        clearTimeout(late);
        resolve();
      });
    });
    client.end(true);
  }

  /** Cuts the connection without a word, as a device does that loses power; it comes again. */
  cut(): void {
    this.#client?.stream.destroy();
  }

  /** Publishes with QoS 1; true when the PUBACK came. A connection that does not answer is given up. */
  publish(topic: string, payload: string | Buffer, msMax = PUBACK_MS_MAX): Promise<boolean> {
    const client = this.#client;
    if (client === null || !this.#up) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (acked: boolean) => {
        clearTimeout(late);
        client.off('close', lost);
        resolve(acked);
      };
      const lost = () => settle(false);
      const late = setTimeout(() => {
        // Down before anybody hears of it: nothing more is put on a connection that does not answer.
        this.#lost(client);
        settle(false);
      }, msMax);
      client.once('close', lost);
      client.publish(topic, payload, { qos: 1 }, (error) => settle(!error));
    });
  }

  #connect(): void {
    const { config, log, onUp } = this.#deps;
    const { url, device, secret } = config;
    const client = connect(url, {
      ...this.#tls,
      protocolVersion: 4,
      clean: true,
      clientId: device,
      username: device,
      password: secret,
      // We connect anew ourselves: the library's fixed period would bring a whole city back in the same moment.
      reconnectPeriod: 0,
      connectTimeout: CONNECT_MS_MAX,
      keepalive: KEEPALIVE_S,
      will: { topic: statusTopic(device), payload: Buffer.from(stateOf('offline')), qos: 1, retain: false },
    });
    this.#client = client;
    client.on('error', (error) => log.debug({ device, error: error.message }, 'device link'));
    client.once('connect', () => {
      this.#up = true;
      this.#attempts = 0;
      this.stats.connects++;
      void this.publish(statusTopic(device), stateOf('online', firmwareOf(device)));
      onUp();
    });
    client.once('close', () => this.#lost(client));
  }

  #lost(client: MqttClient): void {
    if (client !== this.#client) return;
    if (!this.#up) this.stats.refused++;
    this.#drop();
    client.end(true);
    if (this.#closed) return;
    const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** this.#attempts++);
    this.#timer = setTimeout(() => this.#connect(), backoffMs * this.#deps.dice.between(0.5, 1.5));
  }

  #drop(): void {
    this.#client = null;
    this.#up = false;
  }
}

/** As docs/wire.md has it: a birth, a will, a good-bye. */
function stateOf(state: HealthState, firmware?: string): string {
  return JSON.stringify({ state, firmware });
}

/** One of eight was not updated. */
function firmwareOf(device: string): string {
  const sum = [...device].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return sum % 8 === 0 ? '2.0.4' : '2.1.0';
}
