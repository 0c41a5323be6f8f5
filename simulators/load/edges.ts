import type { EventRecord } from '#grid/mod.ts';
import { ackTopic, checkAck, encodeFrame, type Lane, toLine, upTopic } from '#grid/wire/mod.ts';
import type { DeviceTable } from '../world/mod.ts';
import { type Acknowledged, Attempts, type Carrier, type CarrierHooks, type CarrierStats, type LoadSample } from './carrier.ts';
import { type Address, LoadConnection } from './connection.ts';

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

/** A record of a lane: its line, and for a reading the sample that it is. */
interface Line {
  text: string;
  sample: Acknowledged | null;
}

interface Frame {
  lane: Lane;
  first: number;
  packet: Buffer;
  lines: readonly Line[];
  sentMs: number;
}

const CONNECT_PER_S = 200;
/** As an edge's uplink packs them; what is there goes every so often. */
const FRAME_LINES_MAX = 1_700;
const LINGER_MS = 100;
const WINDOW = 8;
/** A frame without ack for so long is sent again. */
const RESEND_MS = 10_000;
const KEPT_MAX = 500_000;
const PING_EVERY_MS = 25_000;
/** Microseconds of a time that devices say: docs/decisions/005-sample-times.md. */
const SEQ_US = 500;

/** A whole edge node as the centre sees it: frames on the application's acks. */
class Uplink {
  readonly number: number;
  readonly edge: string;
  connection!: LoadConnection;
  readonly waiting: Record<Lane, Line[]> = { events: [], health: [], readings: [] };
  readonly next: Record<Lane, number> = { events: 1, health: 1, readings: 1 };
  readonly inFlight = new Map<string, Frame>();
  lastMs = 0;
  pingMs = 0;
  /** Devices of it, one of them: it speaks for whether the network carries. */
  readonly speaks: number;

  constructor(number: number, edge: string, speaks: number) {
    this.number = number;
    this.edge = edge;
    this.speaks = speaks;
  }
}

/** Edge nodes without the nodes: thousands in one process, each with its frames and its window. */
export class EdgeCarrier implements Carrier {
  readonly #options: EdgeCarrierOptions;
  readonly #uplinks: Uplink[];
  readonly #byNumber = new Map<number, Uplink>();
  readonly #attempts: Attempts;
  readonly #counts = { connected: 0, connects: 0, refused: 0, dropped: 0, resent: 0, waiting: 0, inFlight: 0 };
  #closed = false;

  constructor(options: EdgeCarrierOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options.connectPerS ?? CONNECT_PER_S);
    const { table } = options;
    for (const device of options.devices) {
      const edge = table.edge[device] as number;
      if (!this.#byNumber.has(edge)) this.#byNumber.set(edge, this.#uplink(edge, device));
    }
    this.#uplinks = [...this.#byNumber.values()];
  }

  send({ device, seq, ts, dueMs, fields }: LoadSample): void {
    const { table } = this.#options;
    const uplink = this.#byNumber.get(table.edge[device] as number);
    if (uplink === undefined) return;
    const [kind, id, cell] = [table.kind(device), table.id(device), table.cell(device)];
    const text = toLine({ kind, device: id, cell, edge: uplink.edge, ts, us: seq % SEQ_US, fields: { ...fields, seq } });
    const { readings } = uplink.waiting;
    readings.push({ text, sample: { device, seq, dueMs } });
    this.#counts.waiting++;
    if (readings.length > KEPT_MAX) {
      readings.shift();
      this.#counts.waiting--;
      this.#counts.dropped++;
    }
  }

  tell(device: number, event: EventRecord): void {
    const uplink = this.#byNumber.get(this.#options.table.edge[device] as number);
    uplink?.waiting.events.push({ text: JSON.stringify(event), sample: null });
  }

  tick(nowMs: number): void {
    if (this.#closed) return;
    this.#attempts.refill(nowMs);
    for (const uplink of this.#uplinks) {
      const { connection } = uplink;
      const carried = this.#options.hooks.reachable(uplink.speaks);
      if (!carried) connection.cut();
      else if (!connection.open && this.#attempts.take(uplink.number, nowMs)) connection.connect();
      if (!connection.up) continue;
      this.#fill(uplink, nowMs);
      if (nowMs - uplink.pingMs > PING_EVERY_MS) {
        uplink.pingMs = nowMs;
        connection.ping();
      }
    }
  }

  cut(device: number): void {
    this.#byNumber.get(this.#options.table.edge[device] as number)?.connection.cut();
  }

  get stats(): CarrierStats {
    const { inFlight, ...counts } = this.#counts;
    return { ...counts, pending: counts.waiting + inFlight };
  }

  close(): void {
    this.#closed = true;
    for (const { connection } of this.#uplinks) connection.close();
  }

  #uplink(number: number, speaks: number): Uplink {
    const { table, centre, passwords } = this.#options;
    const uplink = new Uplink(number, table.edges[number] ?? '', speaks);
    const { edge } = uplink;
    uplink.connection = new LoadConnection(
      centre,
      { id: edge, password: passwords[number] ?? '' },
      {
        up: () => {
          this.#counts.connected++;
          this.#counts.connects++;
          this.#attempts.succeeded(number);
          uplink.connection.subscribe(ackTopic(edge));
          this.#again(uplink, performance.now(), 0);
        },
        down: (refused) => {
          if (refused) {
            this.#counts.refused++;
            this.#attempts.failed(number, performance.now());
          } else this.#counts.connected--;
        },
        // It promises nothing: the application's ack does.
        acked: () => undefined,
        message: (_topic, payload) => this.#acked(uplink, payload),
      },
    );
    return uplink;
  }

  /** Events first; readings when there is a frame full of them, or some have waited. */
  #fill(uplink: Uplink, nowMs: number): void {
    this.#again(uplink, nowMs, RESEND_MS);
    for (const lane of ['events', 'health', 'readings'] as const) {
      const waiting = uplink.waiting[lane];
      while (waiting.length > 0 && uplink.inFlight.size < WINDOW) {
        if (waiting.length < FRAME_LINES_MAX && nowMs - uplink.lastMs < LINGER_MS && lane === 'readings') break;
        this.#sendFrame(uplink, lane, waiting.splice(0, FRAME_LINES_MAX), nowMs);
      }
    }
    uplink.connection.flush();
  }

  #sendFrame(uplink: Uplink, lane: Lane, lines: Line[], nowMs: number): void {
    const { edge, next } = uplink;
    const first = next[lane];
    const last = first + lines.length - 1;
    next[lane] = last + 1;
    const header = { edge, epoch: this.#options.epoch, lane, first, last, count: lines.length };
    const packet = encodeFrame(header, Buffer.from(lines.map((l) => l.text).join('\n')));
    uplink.inFlight.set(`${lane}/${first}`, { lane, first, packet, lines, sentMs: nowMs });
    uplink.connection.publish(upTopic(edge, lane), packet);
    if (lane === 'readings') {
      uplink.lastMs = nowMs;
      this.#counts.waiting -= lines.length;
      this.#counts.inFlight += lines.length;
    }
  }

  #again(uplink: Uplink, nowMs: number, olderMs: number): void {
    for (const frame of uplink.inFlight.values()) {
      if (nowMs - frame.sentMs < olderMs) continue;
      frame.sentMs = nowMs;
      this.#counts.resent += frame.lines.length;
      uplink.connection.publish(upTopic(uplink.edge, frame.lane), frame.packet);
    }
    uplink.connection.flush();
  }

  #acked(uplink: Uplink, payload: Buffer): void {
    const ack: unknown = JSON.parse(payload.toString());
    if (!checkAck.Check(ack) || ack.epoch !== this.#options.epoch) return;
    const key = `${ack.lane}/${ack.first}`;
    const frame = uplink.inFlight.get(key);
    if (frame === undefined) return;
    uplink.inFlight.delete(key);
    const nowMs = performance.now();
    for (const { sample } of frame.lines) {
      if (sample === null) continue;
      this.#counts.inFlight--;
      this.#options.hooks.acked(sample, nowMs);
    }
  }
}
