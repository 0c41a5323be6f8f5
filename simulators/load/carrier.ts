import type { EventRecord } from '#grid/mod.ts';
import type { Fields } from '../devices/mod.ts';

/** A sample as it was meant: made on time, whatever becomes of it. */
export interface LoadSample {
  /** Number of the device in its table. */
  device: number;
  /** Of the device: 1, 2, 3, ... */
  seq: number;
  /** UTC ms that it says; `undefined` where its device has no clock. */
  ts: number;
  /** Monotonic ms at which it was due: its latency counts from here. */
  dueMs: number;
  fields: Fields;
}

/** What is known of a sample when it is acknowledged. */
export type Acknowledged = Pick<LoadSample, 'device' | 'seq' | 'dueMs'>;

export interface CarrierStats {
  /** Connections that are up, that came up, and that were refused. */
  connected: number;
  connects: number;
  refused: number;
  /** Made and not acknowledged, events too; samples that were never on the wire: `waiting`. */
  pending: number;
  waiting: number;
  /** Lost from a full memory before they were ever sent, as a device of little memory loses them. */
  dropped: number;
  /** Put on the wire once more after a connection broke. */
  resent: number;
}

/** How samples reach the target: as devices through the edges' brokers, or as edges straight to the centre. */
export interface Carrier {
  send(sample: LoadSample): void;
  /** Told by an edge; what speaks as devices leaves it to the edges. */
  tell?(device: number, event: EventRecord): void;
  /** A payload as it is, `seq` 0 where it is no sample: what a faulty device says. Edges have no devices that could be faulty. */
  post?(device: number, seq: number, dueMs: number, payload: Buffer): void;
  /** As `post`, from another device of the same id: it connects for it, and goes again. */
  twin?(device: number, seq: number, dueMs: number, payload: Buffer): void;
  /** Connects, connects again and writes what waits; called a hundred times a second. `nowMs` is monotonic. */
  tick(nowMs: number): void;
  /** Ends these connections as a lost network does, and keeps them away until `reachable` says otherwise. */
  cut(device: number): void;
  /** All connections break in one moment, and all come again at once: from now on the target alone says how fast. */
  storm(): void;
  readonly stats: CarrierStats;
  close(): void;
}

export interface CarrierHooks {
  acked(sample: Acknowledged, nowMs: number): void;
  /** An event that was told. */
  eventAcked(event: EventRecord): void;
  /** Whether the network carries what the device sends, now. */
  reachable(device: number): boolean;
  /** Whether its secret is no longer valid, now. */
  expired(device: number): boolean;
}

/** Connection attempts spread out: `perS` of all together, and each comes again after a pause that doubles. */
export class Attempts {
  #perS: number;
  readonly #pauses = new Map<number, { atMs: number; ms: number }>();
  #tokens = 0;
  #atMs: number | null = null;

  constructor(perS: number) {
    this.#perS = perS;
  }

  /** No spreading out any more; who fails still comes again after its pause. */
  unbridle(): void {
    this.#perS = Number.POSITIVE_INFINITY;
    this.#tokens = this.#perS;
  }

  refill(nowMs: number): void {
    if (this.#perS === Number.POSITIVE_INFINITY) return;
    const forMs = this.#atMs === null ? 10 : nowMs - this.#atMs;
    this.#tokens = Math.min(this.#perS, this.#tokens + (this.#perS * forMs) / 1000);
    this.#atMs = nowMs;
  }

  /** Takes one for this client if its pause is over and one is left. */
  take(client: number, nowMs: number): boolean {
    if (this.#tokens < 1 || (this.#pauses.get(client)?.atMs ?? 0) > nowMs) return false;
    this.#tokens--;
    return true;
  }

  failed(client: number, nowMs: number): void {
    const ms = Math.min(PAUSE_MS_MAX, 2 * (this.#pauses.get(client)?.ms ?? PAUSE_MS_MIN / 2));
    // By the client's number, not by chance: half a pause apart at most.
    this.#pauses.set(client, { ms, atMs: nowMs + ms * (0.75 + ((client * 37) % 100) / 200) });
  }

  succeeded(client: number): void {
    this.#pauses.delete(client);
  }
}

const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 15_000;
