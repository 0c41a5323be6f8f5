import type { EventRecord } from '#grid/mod.ts';
import { encodeFrame, type Lane, lineFields, lineHead } from '#grid/wire/mod.ts';
import type { DeviceTable } from '../world/mod.ts';
import { Batch } from './batch.ts';
import { Attempts, type Carrier, type CarrierHooks, type CarrierStats, type LoadSample } from './carrier.ts';
import type { Address } from './connection.ts';
import { FrameLink } from './frame_link.ts';

export interface EdgeCarrierOptions {
  table: DeviceTable;
  devices: readonly number[];
  centre: Address;
  /** Of each edge of the table. */
  passwords: readonly string[];
  /** Different in each run: an edge that starts anew has another. */
  epoch: string;
  hooks: CarrierHooks;
  connectPerS?: number;
}

const CONNECT_PER_S = 200;
/** As an edge's uplink packs them; what is there goes every so often. */
const FRAME_LINES_MAX = 1_700;
const LINGER_MS = 100;
/** Readings that an edge keeps while nobody listens. */
const KEPT_MAX = 500_000;
const PING_EVERY_MS = 25_000;
/** Microseconds of a time that devices say: docs/decisions/005-sample-times.md. */
const SEQ_US = 500;

/** What one edge has to say, and has said. */
class Edge {
  readonly number: number;
  readonly id: string;
  /** One of its devices: it speaks for whether the network carries. */
  readonly speaks: number;
  link!: FrameLink<Batch>;
  /** Full ones, then the one that is filled. */
  readonly waiting: Record<Lane, Batch[]> = { events: [], health: [], readings: [] };
  readonly next: Record<Lane, number> = { events: 1, health: 1, readings: 1 };
  /** Samples in `waiting`. */
  samples = 0;
  lastMs = 0;
  pingMs = 0;

  constructor(number: number, id: string, speaks: number) {
    this.number = number;
    this.id = id;
    this.speaks = speaks;
  }

  /** The batch that takes the next line of a lane. */
  filling(lane: Lane): Batch {
    const batches = this.waiting[lane];
    const last = batches.at(-1);
    if (last !== undefined && last.lines < FRAME_LINES_MAX) return last;
    const batch = new Batch();
    batches.push(batch);
    return batch;
  }
}

/** Edge nodes without the nodes: thousands in one process, each with its frames and its window. */
export class EdgeCarrier implements Carrier {
  readonly #options: EdgeCarrierOptions;
  readonly #edges: Edge[];
  readonly #byNumber = new Map<number, Edge>();
  readonly #attempts: Attempts;
  /** What never changes of a device's lines. */
  readonly #heads = new Map<number, string>();
  readonly #counts = { connected: 0, connects: 0, refused: 0, dropped: 0, resent: 0, waiting: 0, inFlight: 0, events: 0 };
  #closed = false;

  constructor(options: EdgeCarrierOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options.connectPerS ?? CONNECT_PER_S);
    const { table } = options;
    for (const device of options.devices) {
      const number = table.edge[device] as number;
      if (!this.#byNumber.has(number)) this.#byNumber.set(number, this.#edge(number, device));
    }
    this.#edges = [...this.#byNumber.values()];
  }

  send(sample: LoadSample): void {
    const { device, seq, ts, fields } = sample;
    const edge = this.#byNumber.get(this.#options.table.edge[device] as number);
    if (edge === undefined) return;
    const line = `${this.#head(device, edge.id)} ${lineFields(fields)},seq=${seq} ${ts}${String(seq % SEQ_US).padStart(3, '0')}`;
    edge.filling('readings').addSample(line, sample);
    edge.samples++;
    this.#counts.waiting++;
    if (edge.samples > KEPT_MAX) this.#dropOldest(edge);
  }

  tell(device: number, event: EventRecord): void {
    this.#byNumber
      .get(this.#options.table.edge[device] as number)
      ?.filling('events')
      .addEvent(event);
    this.#counts.events++;
  }

  tick(nowMs: number): void {
    if (this.#closed) return;
    this.#attempts.refill(nowMs);
    for (const edge of this.#edges) {
      const { link } = edge;
      if (!this.#options.hooks.reachable(edge.speaks)) link.cut();
      else if (!link.open && this.#attempts.take(edge.number, nowMs)) link.connect();
      if (!link.up) continue;
      this.#fill(edge, nowMs);
      if (nowMs - edge.pingMs > PING_EVERY_MS) {
        edge.pingMs = nowMs;
        link.ping();
      }
    }
  }

  cut(device: number): void {
    this.#byNumber.get(this.#options.table.edge[device] as number)?.link.cut();
  }

  storm(): void {
    this.#attempts.unbridle();
    for (const { link } of this.#edges) link.cut();
  }

  get stats(): CarrierStats {
    const { inFlight, events, ...counts } = this.#counts;
    return { ...counts, pending: counts.waiting + inFlight + events };
  }

  close(): void {
    this.#closed = true;
    for (const { link } of this.#edges) link.close();
  }

  #edge(number: number, speaks: number): Edge {
    const { table, centre, passwords, epoch, hooks } = this.#options;
    const edge = new Edge(number, table.edges[number] ?? '', speaks);
    edge.link = new FrameLink({
      address: centre,
      edge: edge.id,
      password: passwords[number] ?? '',
      epoch,
      hooks: {
        up: () => {
          this.#counts.connected++;
          this.#counts.connects++;
          this.#attempts.succeeded(number);
        },
        down: (refused) => {
          if (refused) {
            this.#counts.refused++;
            this.#attempts.failed(number, performance.now());
          } else this.#counts.connected--;
        },
        acked: ({ content }, nowMs) => {
          this.#counts.inFlight -= content.samples;
          this.#counts.events -= content.events.length;
          content.forEachSample((sample) => hooks.acked(sample, nowMs));
          for (const event of content.events) hooks.eventAcked(event);
        },
        resent: ({ content }) => {
          this.#counts.resent += content.lines;
        },
      },
    });
    return edge;
  }

  #head(device: number, edge: string): string {
    let head = this.#heads.get(device);
    if (head === undefined) {
      const { table } = this.#options;
      head = lineHead({ kind: table.kind(device), device: table.id(device), cell: table.cell(device), edge });
      this.#heads.set(device, head);
    }
    return head;
  }

  /** A frame full of them. */
  #dropOldest(edge: Edge): void {
    const gone = edge.waiting.readings.shift()?.samples ?? 0;
    edge.samples -= gone;
    this.#counts.waiting -= gone;
    this.#counts.dropped += gone;
  }

  /** Events first; readings when there is a frame full of them, or some have waited. */
  #fill(edge: Edge, nowMs: number): void {
    edge.link.resend(nowMs);
    for (const lane of ['events', 'health', 'readings'] as const) {
      const batches = edge.waiting[lane];
      while (edge.link.room > 0) {
        const [batch] = batches;
        if (batch === undefined) break;
        if (lane === 'readings' && batch.lines < FRAME_LINES_MAX && nowMs - edge.lastMs < LINGER_MS) break;
        batches.shift();
        this.#sendFrame(edge, lane, batch, nowMs);
      }
    }
    edge.link.flush();
  }

  #sendFrame(edge: Edge, lane: Lane, batch: Batch, nowMs: number): void {
    const first = edge.next[lane];
    const last = first + batch.lines - 1;
    edge.next[lane] = last + 1;
    const header = { edge: edge.id, epoch: this.#options.epoch, lane, first, last, count: batch.lines };
    edge.link.send({ lane, first, packet: encodeFrame(header, batch.body), content: batch }, nowMs);
    if (lane !== 'readings') return;
    edge.lastMs = nowMs;
    edge.samples -= batch.samples;
    this.#counts.waiting -= batch.samples;
    this.#counts.inFlight += batch.samples;
  }
}
