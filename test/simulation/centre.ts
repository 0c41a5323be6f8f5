import { Registry } from 'prom-client';
import type { Ack, EventRecord, HealthLine, Lane } from '#grid/wire/mod.ts';
import { createIntake, type FrameReceiver, type IntakePort } from '#ingest/intake/mod.ts';
import type { DeadLetter, DeadLetterSink, EventsSink, HealthSink, ReadingsSink } from '#ingest/ports.ts';
import { ACCEPTED } from '#ingest/ports.ts';
import { type Clock, GewuError, silentLog } from '#service/mod.ts';
import type { Network, Subscriber } from './network.ts';
import type { SimulatedTime } from './time.ts';

/** The centre's stores. They outlive its processes, and keep what they are given once, by identity. */
export class Stores {
  readonly #time: SimulatedTime;
  readonly kept: Record<Lane, Set<string>> = { events: new Set(), health: new Set(), readings: new Set() };
  readonly letters = new Map<string, DeadLetter>();
  /** Lanes whose store is away. */
  readonly away = new Set<Lane>();
  /** Per write: it fails although it is done, as when the answer is lost. */
  lostAnswer = 0;
  slowMs = 0;

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  /** `alive` tells whether the process that asked still is, when the store gets to it. */
  async write(lane: Lane, ids: readonly string[], alive: () => boolean): Promise<void> {
    const { random } = this.#time;
    await this.#time.pause(random.between(1, 20) + this.slowMs);
    if (this.away.has(lane)) throw new GewuError('GEWU_STORE_UNAVAILABLE', 'simulated');
    // A process that died before its request left has asked for nothing.
    if (!alive() && random.chance(0.5)) return new Promise(() => undefined);
    for (const id of ids) this.kept[lane].add(id);
    if (random.chance(this.lostAnswer)) throw new GewuError('GEWU_STORE_UNAVAILABLE', 'simulated: the answer was lost');
    await this.#time.pause(random.between(0, 5));
  }
}

/** One `gewu ingest`: the real intake between the simulated network and the simulated stores. */
export class SimulatedCentre implements Subscriber {
  readonly #network: Network;
  readonly #metrics = new Registry();
  readonly #intake: ReturnType<typeof createIntake>;
  #alive = true;
  #receive: FrameReceiver = () => undefined;
  /** A broken variant: acks what was not stored yet. */
  readonly #acksAtOnce: boolean;

  constructor({
    network,
    stores,
    clock,
    queueBytesMax,
    acksAtOnce,
  }: { network: Network; stores: Stores; clock: Clock; queueBytesMax: number; acksAtOnce: boolean }) {
    this.#network = network;
    this.#acksAtOnce = acksAtOnce;
    const alive = () => this.#alive;
    const readings: ReadingsSink = {
      write: async (blocks) => {
        const ids = blocks.flatMap((block) => block.lines().map(({ line }) => line));
        await stores.write('readings', ids, alive);
        return blocks.map(() => []);
      },
    };
    const events: EventsSink = {
      accept: async (records: readonly EventRecord[]) => {
        const ids = records.map((r) => r.id);
        await stores.write('events', ids, alive);
        return ids.map(() => ACCEPTED);
      },
    };
    const health: HealthSink = {
      accept: async (records: readonly HealthLine[]) => {
        const ids = records.map((r) => r.id);
        await stores.write('health', ids, alive);
        return ids.map(() => ACCEPTED);
      },
    };
    const deadLetters: DeadLetterSink = {
      put: async (letters) => {
        for (const letter of letters) stores.letters.set(letter.id, letter);
      },
    };
    this.#intake = createIntake({
      port: this.#port(),
      readings,
      events,
      health,
      deadLetters,
      clock,
      log: silentLog,
      metrics: this.#metrics,
      limits: { queueBytesMax, edgeBytesMax: queueBytesMax, pauseMsMax: 2_000, drainMsMax: 0 },
    });
  }

  start(): Promise<void> {
    return this.#intake.start();
  }

  receive(topic: string, payload: Buffer): void {
    if (!this.#alive) return;
    if (this.#acksAtOnce) {
      const { epoch, lane, first, last } = headerOf(payload);
      this.#network.toEdge('edge-01', { epoch, lane, first, last });
    }
    this.#receive(topic, payload);
  }

  /** From here on it has no effect any more; what its intake still holds in timers is cleared. */
  crash(): void {
    this.#alive = false;
    this.#network.subscribers.delete(this);
    void this.#intake.stop();
  }

  /** Bytes that wait in the intake. */
  async queuedBytes(): Promise<number> {
    const values = (await this.#metrics.getSingleMetric('gewu_intake_queue_bytes')?.get())?.values ?? [];
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  #port(): IntakePort {
    return {
      onFrame: (receive) => {
        this.#receive = receive;
      },
      start: async () => {
        this.#network.subscribers.add(this);
      },
      stop: async () => undefined,
      ready: () => this.#alive,
      ack: (edge: string, ack: Ack) => {
        if (this.#alive) this.#network.toEdge(edge, ack);
      },
      send: () => undefined,
      notify: () => undefined,
    };
  }
}

/** Of a frame as the uplink made it. */
export function headerOf(payload: Buffer): Ack {
  return JSON.parse(payload.toString('utf8', 0, payload.indexOf(0x0a))) as Ack;
}
