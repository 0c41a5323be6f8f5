import type { Client, Connect } from '#edge/uplink/mod.ts';
import { ackTopic } from '#grid/wire/mod.ts';
import type { SimulatedTime } from './time.ts';

/** What an edge or a centre may do to a broken protocol, for tests that see it caught. */
export interface Trouble {
  /** Per message between broker and centre, either way. */
  drop: number;
  duplicate: number;
  /** Comes so late that other connections, or other lives, are there. */
  late: number;
}

/** Where frames go to. */
export interface Subscriber {
  receive(topic: string, payload: Buffer): void;
}

const CONNECT_MS_MAX = 10_000;
const KEEPALIVE_MS = 15_000;
const LATE_MS: [number, number] = [500, 20_000];

/**
 * The edge's link and the broker. The link keeps the order of bytes, as TCP does, and may be cut, or swallow
 * everything; between broker and centre messages get lost, come twice, and overtake each other.
 */
export class Network {
  readonly time: SimulatedTime;
  /** 'cut' refuses connections, 'hole' swallows what is sent. */
  link: 'ok' | 'cut' | 'hole' = 'ok';
  /** The broker refuses the password. */
  refuses = false;
  latencyMs: [number, number] = [1, 30];
  trouble: Trouble = { drop: 0, duplicate: 0, late: 0 };
  readonly subscribers = new Set<Subscriber>();
  /** Sees what an edge hands to its connection. */
  onPublish: (client: SimulatedClient, topic: string, payload: Buffer) => void = () => undefined;
  onTry: () => void = () => undefined;
  onSubscribed: (client: SimulatedClient) => void = () => undefined;
  /** A broken variant may turn acks into others. */
  tamper: (client: SimulatedClient, topic: string, payload: Buffer) => Buffer[] = (_client, _topic, payload) => [payload];
  onPuback: (client: SimulatedClient, payload: Buffer) => void = () => undefined;
  #client: SimulatedClient | null = null;
  /** Lives of the broker: what it held is gone with it. */
  #life = 0;

  constructor(time: SimulatedTime) {
    this.time = time;
  }

  readonly connect: Connect = (_url, options) => {
    this.#client = new SimulatedClient(this, options.reconnectPeriod ?? 1_000);
    return this.#client;
  };

  get latency(): number {
    return this.time.random.between(...this.latencyMs);
  }

  /** Every connection ends, with FIN. */
  cut(): void {
    this.#client?.lose();
  }

  /** The broker is another one, and empty. */
  restart(): void {
    this.#life++;
    this.cut();
  }

  /** From the broker to a subscriber: one of them gets it, as with a shared subscription. */
  toCentre(topic: string, payload: Buffer): void {
    this.#disturbed(() => {
      if (this.subscribers.size > 0) this.time.random.pick([...this.subscribers]).receive(topic, payload);
    });
  }

  /** An ack of the centre, by topic: whoever is connected now gets it. */
  toEdge(edge: string, message: object): void {
    const payload = Buffer.from(JSON.stringify(message));
    this.#disturbed(() => this.#client?.deliver(ackTopic(edge), payload));
  }

  #disturbed(arrive: () => void): void {
    const { random } = this.time;
    const { drop, duplicate, late } = this.trouble;
    if (random.chance(drop)) return;
    const life = this.#life;
    const isLate = random.chance(late);
    // What comes late waited at the centre, not in the broker.
    const send = () =>
      setTimeout(
        () => {
          if (isLate || life === this.#life) arrive();
        },
        isLate ? random.between(...LATE_MS) : this.latency,
      );
    send();
    if (random.chance(duplicate)) send();
  }
}

/** What mqtt.js does, as far as the uplink can tell. */
export class SimulatedClient implements Client {
  readonly #network: Network;
  readonly options: { reconnectPeriod?: number };
  readonly stream = { destroy: () => this.#abandon() };
  connected = false;
  #ended = false;
  readonly #listeners: Record<string, ((...args: never[]) => void)[]> = {};
  /** Counts connections: what belongs to an earlier one is dropped. */
  #connection = 0;
  #subscribed = false;
  #lastId = 0;
  readonly #outgoing = new Map<number, { topic: string; payload: Buffer; done(error?: Error): void }>();
  #upAt = 0;
  #downAt = 0;
  #heardAt = 0;

  constructor(network: Network, reconnectPeriod: number) {
    this.#network = network;
    this.options = { reconnectPeriod };
    setTimeout(() => this.#open(), 0);
  }

  on(event: string, listener: (...args: never[]) => void): void {
    const known = this.#listeners[event];
    if (known) known.push(listener);
    else this.#listeners[event] = [listener];
  }

  getLastMessageId(): number {
    return this.#lastId;
  }

  subscribe(_topics: string[], _options: object, done: (error: Error | null) => void): void {
    this.#exchange(
      () => {
        this.#subscribed = true;
      },
      () => {
        this.#network.onSubscribed(this);
        done(null);
      },
    );
  }

  publish(topic: string, payload: Buffer, _options: object, done: (error?: Error) => void): void {
    const id = ++this.#lastId;
    this.#network.onPublish(this, topic, payload);
    this.#outgoing.set(id, { topic, payload, done });
    if (this.connected) this.#transmit(id);
  }

  removeOutgoingMessage(id: number): void {
    const message = this.#outgoing.get(id);
    this.#outgoing.delete(id);
    message?.done(new Error('removed'));
  }

  async endAsync(): Promise<void> {
    this.#ended = true;
    this.connected = false;
    this.#connection++;
  }

  /** The process is gone: nothing of it has an effect any more. */
  kill(): void {
    void this.endAsync();
  }

  /** The other side ended the connection. */
  lose(): void {
    if (this.connected) this.#abandon();
  }

  deliver(topic: string, payload: Buffer): void {
    if (!this.#subscribed || !this.connected) return;
    this.#back(() => {
      for (const p of this.#network.tamper(this, topic, payload)) this.#emit('message', topic, p);
    });
  }

  /** An ack out of nowhere, for broken variants. */
  pretend(topic: string, payload: Buffer): void {
    this.#emit('message', topic, payload);
  }

  #open(): void {
    if (this.#ended) return;
    this.#network.onTry();
    const { link, refuses, latency } = this.#network;
    const connection = ++this.#connection;
    if (link === 'ok' && !refuses) {
      setTimeout(() => {
        if (connection === this.#connection) this.#established();
      }, 2 * latency);
      return;
    }
    const error = Object.assign(new Error(refuses ? 'Not authorized' : 'unreachable'), { code: refuses ? 5 : 'ECONNREFUSED' });
    setTimeout(
      () => {
        if (connection !== this.#connection) return;
        if (link !== 'hole') this.#emit('error', error);
        this.#abandon();
      },
      link === 'hole' ? CONNECT_MS_MAX : latency,
    );
  }

  #established(): void {
    this.connected = true;
    this.#subscribed = false;
    this.#heardAt = this.#network.time.now;
    // As mqtt.js does: what had no PUBACK and was not taken back goes again, before anybody is told.
    for (const id of this.#outgoing.keys()) this.#transmit(id);
    this.#emit('connect');
    this.#keepAlive(this.#connection);
  }

  #keepAlive(connection: number): void {
    setTimeout(() => {
      if (connection !== this.#connection) return;
      const { time, link } = this.#network;
      if (link === 'ok' && time.now - this.#heardAt >= KEEPALIVE_MS) this.#heard();
      if (time.now - this.#heardAt >= 1.5 * KEEPALIVE_MS) this.#abandon();
      else this.#keepAlive(connection);
    }, KEEPALIVE_MS / 2);
  }

  #transmit(id: number): void {
    const message = this.#outgoing.get(id);
    if (!message) return;
    this.#exchange(
      () => this.#network.toCentre(message.topic, message.payload),
      () => {
        const { done } = this.#outgoing.get(id) ?? {};
        this.#outgoing.delete(id);
        done?.();
        this.#network.onPuback(this, message.payload);
      },
    );
  }

  /** To the broker and back. Each way keeps its order, and may end in nothing. */
  #exchange(there: () => void, back: () => void): void {
    const { time } = this.#network;
    const connection = this.#connection;
    this.#upAt = Math.max(this.#upAt, time.now + this.#network.latency);
    setTimeout(() => {
      if (connection !== this.#connection || this.#network.link !== 'ok') return;
      there();
      this.#back(back);
    }, this.#upAt - time.now);
  }

  #back(arrive: () => void): void {
    const { time } = this.#network;
    const connection = this.#connection;
    this.#downAt = Math.max(this.#downAt, time.now + this.#network.latency);
    setTimeout(() => {
      if (connection !== this.#connection || this.#network.link !== 'ok') return;
      this.#heard();
      arrive();
    }, this.#downAt - time.now);
  }

  #heard(): void {
    this.#heardAt = this.#network.time.now;
    this.#emit('packetreceive');
  }

  #abandon(): void {
    if (this.#ended) return;
    this.connected = false;
    this.#subscribed = false;
    this.#connection++;
    setTimeout(() => this.#open(), this.options.reconnectPeriod ?? 1_000);
    this.#emit('close');
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners[event] ?? []) listener(...(args as never[]));
  }
}
