import { Registry } from 'prom-client';
import { Uplink } from '#edge/uplink/mod.ts';
import { type Ack, ackTopic, FRAME_BYTES_MAX, LANES, type Lane } from '#grid/wire/mod.ts';
import { silentLog } from '#service/mod.ts';
import { headerOf, SimulatedCentre, Stores } from './centre.ts';
import { Disk, SimulatedOutbox } from './disk.ts';
import { Network, type SimulatedClient } from './network.ts';
import { SendingOrder } from './order.ts';
import { EDGE, EPOCH, idOf, record } from './records.ts';
import { SimulatedTime } from './time.ts';

/** Protocols that lose data, to see that the checks see it. */
export type Broken = 'acks all up to' | 'removes on PUBACK' | 'ignores the epoch' | 'acks before it stores';

export interface Outcome {
  seed: number;
  /** What was promised and not kept; empty when all is well. */
  violations: string[];
  appended: number;
  acked: number;
  frames: number;
  faults: number;
  /** Most frames that the uplink held at a time. */
  flightMax: number;
  /** Simulated. */
  seconds: number;
  timers: number;
  /** The run in a number: the same seed gives the same. */
  digest: number;
}

const FLIGHT_FRAMES_MAX = 32;
const VIOLATIONS_MAX = 5;
const REPLICAS_MAX = 2;
/** After the last fault, everything has to arrive within so long. */
const HEAL_MS_MAX = 300_000;

/** One city block of it: an edge (outbox, real uplink), a broker, one or two centres (real intake), their stores, and bad luck. */
export class World {
  readonly time: SimulatedTime;
  readonly network: Network;
  readonly stores: Stores;
  readonly disk = new Disk();
  readonly edgeMachine = { stepMs: 0 };
  readonly centreMachine = { stepMs: 0 };
  readonly centres: SimulatedCentre[] = [];
  readonly #seed: number;
  readonly #broken: Broken | null;
  readonly #queueBytesMax: number;
  /** Mostly always the same, so that two lives make the same frames of other rows. */
  readonly #rowsPerTakeMax: () => number;
  readonly #violations: string[] = [];
  /** By lane and id: tried, promised to the device, and released from the promise (another disk, the quota). */
  readonly #tried = new Set<string>();
  readonly #promised = new Set<string>();
  #client: SimulatedClient | null = null;
  #edge: { uplink: Uplink; outbox: SimulatedOutbox; order: SendingOrder } | null = null;
  #published: Ack[] = [];
  /** Batches of which a device has no PUBACK. */
  #unanswered = 0;
  #frames = 0;
  #flightMax = 0;
  #faults = 0;
  #digest = 0;
  #numbers: Record<Lane, number> = { events: 0, health: 0, readings: 0 };

  constructor(seed: number, broken: Broken | null = null) {
    this.#seed = seed;
    this.#broken = broken;
    this.time = new SimulatedTime(seed);
    this.network = new Network(this.time);
    this.stores = new Stores(this.time);
    const { random } = this.time;
    const rows = random.pick([1, 1, 2, 3, 8]);
    this.#rowsPerTakeMax = random.chance(0.3) ? () => random.integer(1, 4) : () => rows;
    // Sometimes so small that the intake has no room for all that comes.
    this.#queueBytesMax = random.pick([4_000, 20_000, 8_000_000]);
    this.network.onPublish = (client, topic, payload) => this.#onPublish(client, topic, payload);
    this.network.onSubscribed = () => this.#edge?.order.connected();
    this.network.tamper = (_client, topic, payload) => this.#tampered(topic, payload);
    this.network.onPuback = (client, payload) => this.#onPuback(client, payload);
  }

  /** Runs one schedule. Times are simulated ms. */
  async run(schedule: (world: World) => Promise<void>): Promise<Outcome> {
    this.time.install();
    try {
      await schedule(this);
      await this.#heal();
    } finally {
      this.#edge?.outbox.crash();
      this.#client?.kill();
      void this.#edge?.uplink.stop();
      for (const centre of this.centres) centre.crash();
      this.time.uninstall();
    }
    return {
      seed: this.#seed,
      violations: this.#violations,
      appended: this.#tried.size,
      acked: this.#promised.size,
      frames: this.#frames,
      faults: this.#faults,
      flightMax: this.#flightMax,
      seconds: Math.round(this.time.now / 1000),
      timers: this.time.fired,
      digest: this.#digest,
    };
  }

  async startEdge(): Promise<void> {
    if (this.#edge) return;
    const { time, disk } = this;
    const outbox = new SimulatedOutbox({
      disk,
      time,
      rowsPerTakeMax: this.#rowsPerTakeMax,
      onRemove: (lane, first, last) => this.#onRemove(lane, first, last),
    });
    const uplink = new Uplink({
      edge: EDGE,
      url: 'mqtt://simulated',
      password: 'p',
      outbox,
      commands: { receive: () => undefined },
      clock: time.clock(this.edgeMachine, EPOCH),
      log: silentLog,
      metrics: new Registry(),
      connect: (url, options) => {
        this.#client = this.network.connect(url, options) as SimulatedClient;
        return this.#client;
      },
    });
    this.#edge = { uplink, outbox, order: new SendingOrder(outbox, time, (lane) => disk.lane(lane).rows.keys()) };
    await uplink.start();
  }

  /** kill -9. */
  crashEdge(): void {
    const edge = this.#edge;
    this.#edge = null;
    edge?.outbox.crash();
    this.#client?.kill();
    void edge?.uplink.stop();
  }

  async startCentre(): Promise<void> {
    if (this.centres.length >= REPLICAS_MAX) return;
    const centre = new SimulatedCentre({
      network: this.network,
      stores: this.stores,
      clock: this.time.clock(this.centreMachine, EPOCH),
      queueBytesMax: this.#queueBytesMax,
      acksAtOnce: this.#broken === 'acks before it stores',
    });
    this.centres.push(centre);
    await centre.start();
  }

  crashCentre(): void {
    this.centres.shift()?.crash();
  }

  /** The edge box is swapped, or its disk restored from a copy: what only the old disk had is lost, and nobody promised otherwise. */
  replaceDisk(rows?: ReturnType<Disk['copy']>): void {
    this.disk.replace(rows);
    for (const lane of LANES) {
      const left = new Set([...this.disk.lane(lane).rows.values()].map((body) => keyOf(lane, idOf(lane, body))));
      for (const id of [...this.#promised])
        if (id.startsWith(`${lane} `) && !left.has(id) && !this.#isKept(id)) this.#promised.delete(id);
    }
  }

  /** At the quota the oldest readings go, and are counted. */
  dropOldest(count: number): void {
    const { rows } = this.disk.lane('readings');
    for (const [seq, body] of [...rows].slice(0, count)) {
      rows.delete(seq);
      this.#promised.delete(keyOf('readings', idOf('readings', body)));
    }
  }

  /** A device sends a batch; without PUBACK it sends the same again later. */
  async append(lane: Lane, count: number): Promise<void> {
    const records = Array.from({ length: count }, () => record(lane, ++this.#numbers[lane]));
    const bodies = records.map((r) => r.body);
    for (const { id } of records) this.#tried.add(keyOf(lane, id));
    this.#unanswered++;
    while (
      !(await this.#edge?.outbox.append(lane, bodies).then(
        () => true,
        () => false,
      ))
    )
      await this.time.pause(1_000);
    this.#unanswered--;
    for (const { id } of records) this.#promised.add(keyOf(lane, id));
  }

  fault(): void {
    this.#faults++;
  }

  async #heal(): Promise<void> {
    const { network, stores, disk, time } = this;
    network.link = 'ok';
    network.refuses = false;
    network.latencyMs = [1, 30];
    network.trouble = { drop: 0, duplicate: 0, late: 0 };
    disk.state = 'ok';
    stores.away.clear();
    stores.lostAnswer = 0;
    stores.slowMs = 0;
    if (this.centres.length === 0) await this.startCentre();
    await this.startEdge();
    const from = time.now;
    await time.run(from + HEAL_MS_MAX, () => disk.rows + this.#unanswered === 0);
    if (disk.rows > 0)
      this.#violate(`${disk.rows} rows are stuck: ${HEAL_MS_MAX / 1000} s after the last fault they have not left`);
    for (const key of this.#promised) if (!this.#isKept(key)) this.#violate(`lost: ${key}`);
    for (const lane of LANES)
      for (const id of stores.kept[lane]) if (!this.#tried.has(keyOf(lane, id))) this.#violate(`unexpected: ${lane} ${id}`);
    for (const letter of stores.letters.values()) this.#violate(`dead letter: ${letter.reason}`);
    for (const centre of this.centres) await this.#checkQueue(centre);
  }

  async #checkQueue(centre: SimulatedCentre): Promise<void> {
    const bytes = await centre.queuedBytes();
    if (bytes > LANES.length * this.#queueBytesMax) this.#violate(`the intake holds ${bytes} B`);
  }

  /** The heart of it: rows leave the edge only when they are safe at the centre. */
  #onRemove(lane: Lane, first: number, last: number): void {
    this.#edge?.order.removed(lane, first, last);
    const { rows } = this.disk.lane(lane);
    for (let seq = first; seq <= last; seq++) {
      const row = rows.get(seq);
      const key = row && keyOf(lane, idOf(lane, row));
      if (key !== undefined && !this.#isKept(key)) this.#violate(`removed before it was stored: ${key}`);
    }
  }

  #onPublish(client: SimulatedClient, _topic: string, payload: Buffer): void {
    const edge = this.#edge;
    if (client !== this.#client || edge === null) return;
    const header = headerOf(payload);
    this.#frames++;
    this.#digest =
      (Math.imul(this.#digest, 31) + header.first * 7 + header.last + LANES.indexOf(header.lane) + Math.floor(this.time.now)) | 0;
    this.#published.push(header);
    const { frames, bytes } = edge.uplink.flight;
    this.#flightMax = Math.max(this.#flightMax, frames);
    if (frames > FLIGHT_FRAMES_MAX || bytes > FLIGHT_FRAMES_MAX * FRAME_BYTES_MAX)
      this.#violate(`the uplink holds ${frames} frames, ${bytes} B`);
    const wrong = edge.order.published(header);
    if (wrong !== null) this.#violate(wrong);
  }

  /** The broken variants, seen from the uplink: the same acks as a protocol would give that is broken so. */
  #tampered(topic: string, payload: Buffer): Buffer[] {
    if (topic !== ackTopic(EDGE)) return [payload];
    const ack = JSON.parse(payload.toString()) as Ack;
    const current = this.#published.at(-1)?.epoch ?? ack.epoch;
    if (this.#broken === 'ignores the epoch') return [ackOf({ ...ack, epoch: current })];
    if (this.#broken !== 'acks all up to') return [payload];
    return this.#published.filter((f) => f.epoch === ack.epoch && f.lane === ack.lane && f.last <= ack.last).map(ackOf);
  }

  #onPuback(client: SimulatedClient, payload: Buffer): void {
    if (this.#broken === 'removes on PUBACK') client.pretend(ackTopic(EDGE), ackOf(headerOf(payload)));
  }

  #isKept(key: string): boolean {
    const space = key.indexOf(' ');
    return this.stores.kept[key.slice(0, space) as Lane].has(key.slice(space + 1));
  }

  #violate(text: string): void {
    if (this.#violations.length < VIOLATIONS_MAX) this.#violations.push(`${(this.time.now / 1000).toFixed(3)} s: ${text}`);
  }
}

const keyOf = (lane: Lane, id: string) => `${lane} ${id}`;
const ackOf = ({ epoch, lane, first, last }: Ack) => Buffer.from(JSON.stringify({ epoch, lane, first, last }));
