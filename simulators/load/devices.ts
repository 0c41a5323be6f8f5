import { telemetryTopic } from '#grid/wire/mod.ts';
import type { DeviceTable } from '../world/mod.ts';
import { type Acknowledged, Attempts, type Carrier, type CarrierHooks, type CarrierStats, type LoadSample } from './carrier.ts';
import { type Address, LoadConnection } from './connection.ts';

export interface DeviceCarrierOptions {
  table: DeviceTable;
  /** Numbers of the devices that this process plays. */
  devices: readonly number[];
  /** Broker of each edge of the table. */
  brokers: readonly Address[];
  hooks: CarrierHooks;
  connectPerS?: number;
}

interface Waiting extends Acknowledged {
  payload: Buffer;
  sent: boolean;
}

/** Below what a broker takes for a flood. */
const CONNECT_PER_S = 500;
/** Messages of one device without PUBACK, and samples that it keeps while nobody listens. */
const IN_FLIGHT_MAX = 32;
const KEPT_MAX = 500;
/** Half of the keepalive that the packets ask for; in slices, not all in one moment. */
const PING_EVERY_MS = 30_000;

/** One device: what it has made and nobody has acknowledged, in order. */
class Client {
  readonly number: number;
  readonly topic: string;
  readonly connection: LoadConnection;
  waiting: Waiting[] = [];
  readonly inFlight = new Map<number, Waiting>();

  constructor(number: number, topic: string, connection: LoadConnection) {
    this.number = number;
    this.topic = topic;
    this.connection = connection;
  }
}

/** Devices with a connection each to the broker of their edge, one sample a message, QoS 1. */
export class DeviceCarrier implements Carrier {
  readonly #options: DeviceCarrierOptions;
  readonly #clients = new Map<number, Client>();
  /** Other devices with the id of one: each connects while it has something to say. */
  readonly #twins = new Map<number, Client>();
  readonly #list: Client[] = [];
  readonly #attempts: Attempts;
  readonly #dirty = new Set<Client>();
  readonly #counts = { connected: 0, connects: 0, refused: 0, dropped: 0, resent: 0, waiting: 0, inFlight: 0 };
  #down = 0;
  #cursor = 0;
  #pinged = 0;
  #pingedMs = 0;
  #closed = false;

  constructor(options: DeviceCarrierOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options.connectPerS ?? CONNECT_PER_S);
    for (const device of options.devices) {
      const client = this.#client(device);
      this.#clients.set(device, client);
      this.#list.push(client);
    }
    this.#down = this.#list.length;
  }

  send({ device, seq, ts, dueMs, fields }: LoadSample): void {
    this.post(device, seq, dueMs, Buffer.from(JSON.stringify({ ...fields, seq, ts })));
  }

  /** A payload as it is: what a faulty device says. */
  post(device: number, seq: number, dueMs: number, payload: Buffer): void {
    const client = this.#clients.get(device);
    if (client !== undefined) this.#keep(client, { device, seq, dueMs, payload, sent: false });
  }

  /** The broker ends the older connection of the id: the device's own, which comes again. */
  twin(device: number, seq: number, dueMs: number, payload: Buffer): void {
    const twin = this.#twins.get(device) ?? this.#twinOf(device);
    this.#twins.set(device, twin);
    this.#keep(twin, { device, seq, dueMs, payload, sent: false });
    twin.connection.connect();
  }

  #keep(client: Client, made: Waiting): void {
    client.waiting.push(made);
    this.#counts.waiting++;
    if (client.waiting.length > KEPT_MAX) {
      client.waiting.shift();
      this.#counts.waiting--;
      this.#counts.dropped++;
    }
    this.#pump(client);
  }

  tick(nowMs: number): void {
    for (const client of this.#dirty) client.connection.flush();
    this.#dirty.clear();
    if (this.#closed) return;
    this.#attempts.refill(nowMs);
    this.#connectSome(nowMs);
    for (const twin of this.#twins.values())
      if (twin.waiting.length > 0 && !twin.connection.open && this.#attempts.take(twin.number, nowMs)) twin.connection.connect();
    this.#pingSome(nowMs);
  }

  cut(device: number): void {
    this.#clients.get(device)?.connection.cut();
  }

  storm(): void {
    this.#attempts.unbridle();
    for (const { connection } of this.#list) connection.cut();
  }

  get stats(): CarrierStats {
    const { inFlight, ...counts } = this.#counts;
    return { ...counts, pending: counts.waiting + inFlight };
  }

  close(): void {
    this.#closed = true;
    for (const { connection } of [...this.#list, ...this.#twins.values()]) connection.close();
  }

  #client(device: number): Client {
    const { table, brokers, hooks } = this.#options;
    const { id, secret, edge } = table.view(device);
    const connection = new LoadConnection(
      brokers[edge] as Address,
      { id, password: () => (hooks.expired(device) ? `${secret} of yesterday` : secret) },
      {
        up: () => {
          this.#counts.connected++;
          this.#counts.connects++;
          this.#down--;
          this.#attempts.succeeded(device);
          this.#pump(client);
        },
        down: (refused) => this.#lost(client, refused),
        acked: (messageId) => this.#acked(client, messageId),
      },
    );
    const client = new Client(device, telemetryTopic(id), connection);
    return client;
  }

  /** Its number, which its pauses are counted by, is that of no device. */
  #twinOf(device: number): Client {
    const { table, brokers } = this.#options;
    const { id, secret, edge } = table.view(device);
    const number = -1 - device;
    const connection = new LoadConnection(
      brokers[edge] as Address,
      { id, password: secret },
      {
        up: () => this.#pump(twin),
        down: () => {
          this.#takeBack(twin);
          if (twin.waiting.length > 0) this.#attempts.failed(number, performance.now());
          else this.#attempts.succeeded(number);
        },
        acked: (messageId) => {
          this.#acked(twin, messageId);
          if (twin.waiting.length + twin.inFlight.size === 0) connection.close();
        },
      },
    );
    const twin = new Client(number, telemetryTopic(id), connection);
    return twin;
  }

  #lost(client: Client, refused: boolean): void {
    if (refused) {
      this.#counts.refused++;
      this.#attempts.failed(client.number, performance.now());
    } else {
      this.#counts.connected--;
      this.#down++;
      // Whoever was ended by its twin does not end that at once.
      if (this.#twins.get(client.number)?.connection.open) this.#attempts.failed(client.number, performance.now());
    }
    this.#takeBack(client);
  }

  #takeBack(client: Client): void {
    // What is no sample is not sent again: one that ends the connection would do so for ever.
    const again = [...client.inFlight.values()].filter((w) => w.seq > 0);
    this.#counts.inFlight -= client.inFlight.size;
    client.inFlight.clear();
    client.waiting = [...again, ...client.waiting];
    this.#counts.waiting += again.length;
  }

  #pump(client: Client): void {
    const { connection, inFlight, waiting } = client;
    if (!connection.up) return;
    while (waiting.length > 0 && inFlight.size < IN_FLIGHT_MAX) {
      const next = waiting.shift() as Waiting;
      if (next.sent) this.#counts.resent++;
      next.sent = true;
      inFlight.set(connection.publish(client.topic, next.payload), next);
      this.#counts.waiting--;
      this.#counts.inFlight++;
      this.#dirty.add(client);
    }
  }

  #acked(client: Client, messageId: number): void {
    const done = client.inFlight.get(messageId);
    if (done === undefined) return;
    client.inFlight.delete(messageId);
    this.#counts.inFlight--;
    this.#options.hooks.acked(done, performance.now());
    this.#pump(client);
  }

  /** Goes around the list, so that every client has its turn. */
  #connectSome(nowMs: number): void {
    if (this.#down === 0) return;
    const { hooks } = this.#options;
    for (let looked = 0; looked < Math.min(this.#list.length, LOOK_AT_ONCE); looked++) {
      const client = this.#list[this.#cursor++ % this.#list.length] as Client;
      if (client.connection.open || !hooks.reachable(client.number)) continue;
      if (this.#attempts.take(client.number, nowMs)) client.connection.connect();
    }
  }

  #pingSome(nowMs: number): void {
    const due = Math.min(this.#list.length, Math.floor(((nowMs - this.#pingedMs) / PING_EVERY_MS) * this.#list.length));
    if (this.#pingedMs === 0 || due === 0) {
      this.#pingedMs ||= nowMs;
      return;
    }
    for (let i = 0; i < due; i++) this.#list[this.#pinged++ % this.#list.length]?.connection.ping();
    this.#pingedMs = nowMs;
  }
}

/** Clients looked at in one tick: a hundredth of a second must be enough for it. */
const LOOK_AT_ONCE = 500;
