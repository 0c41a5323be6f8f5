import type { Rows } from '#edge/uplink/mod.ts';
import { type Ack, LANES, type Lane } from '#grid/wire/mod.ts';
import type { SimulatedTime } from './time.ts';

/** From when on an ack may be called overdue: then the lane below need not wait any longer. */
const OVERDUE_MS_MIN = 500;

interface Sent {
  at: number;
  times: number;
}

/**
 * Checks the order in which one life of an edge sends: after a connection came up, backlog of a lane goes only when that
 * of the lanes above has been sent, or does not get its acks.
 */
export class SendingOrder {
  readonly #outbox: Rows;
  readonly #time: SimulatedTime;
  /** Highest sequence of each lane when the connection came up. */
  #backlogUpTo: Record<Lane, number> = { events: 0, health: 0, readings: 0 };
  readonly #unsent: Record<Lane, Set<number>> = { events: new Set(), health: new Set(), readings: new Set() };
  /** Over this connection, without ack. */
  readonly #sent = new Map<string, Sent & Ack>();
  readonly #gone: Record<Lane, Set<number>> = { events: new Set(), health: new Set(), readings: new Set() };
  #rowsOf: (lane: Lane) => Iterable<number>;

  constructor(outbox: Rows, time: SimulatedTime, rowsOf: (lane: Lane) => Iterable<number>) {
    this.#outbox = outbox;
    this.#time = time;
    this.#rowsOf = rowsOf;
  }

  connected(): void {
    this.#sent.clear();
    for (const lane of LANES) {
      const { lastSeq } = this.#outbox.stats[lane];
      this.#backlogUpTo[lane] = lastSeq;
      this.#unsent[lane] = new Set([...this.#rowsOf(lane)].filter((seq) => seq <= lastSeq && !this.#gone[lane].has(seq)));
    }
  }

  removed(lane: Lane, first: number, last: number): void {
    this.#sent.delete(`${lane} ${first}`);
    for (let seq = first; seq <= last; seq++) {
      this.#gone[lane].add(seq);
      this.#unsent[lane].delete(seq);
    }
  }

  /** Null, or what is wrong with sending this frame now. */
  published(frame: Ack): string | null {
    const { lane, first, last } = frame;
    const key = `${lane} ${first}`;
    this.#sent.set(key, { ...frame, at: this.#time.now, times: (this.#sent.get(key)?.times ?? 0) + 1 });
    for (let seq = first; seq <= last; seq++) this.#unsent[lane].delete(seq);
    if (last > this.#backlogUpTo[lane]) return null;
    for (const above of LANES.slice(0, LANES.indexOf(lane)))
      if (this.#unsent[above].size > 0 && !this.#isStalled(above))
        return `${lane} ${first}-${last} went before ${this.#unsent[above].size} older ${above}`;
    return null;
  }

  #isStalled(lane: Lane): boolean {
    for (const sent of this.#sent.values())
      if (sent.lane === lane && (sent.times > 1 || this.#time.now - sent.at >= OVERDUE_MS_MIN)) return true;
    return false;
  }
}
