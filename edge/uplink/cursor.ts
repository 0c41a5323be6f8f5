import type { Lane } from '#grid/wire/mod.ts';
import type { Chunk, Outbox } from '../outbox/mod.ts';

/**
 * Where the uplink stands in one lane. What was appended since the connection came up is live and goes first;
 * everything older is backlog, oldest first.
 *
 *   1 ......... backlog ......... | liveFrom ....... lastSeq
 */
export class LaneCursor {
  readonly #lane: Lane;
  readonly #outbox: Outbox;
  #liveFrom: number;
  #backlog: { from: number; upTo: number }[] = [];

  constructor(lane: Lane, outbox: Outbox) {
    this.#lane = lane;
    this.#outbox = outbox;
    this.#liveFrom = 1;
    this.fallBehind();
  }

  /** The connection was away: what was live is backlog now. */
  fallBehind(): void {
    const { lastSeq } = this.#outbox.stats[this.#lane];
    if (lastSeq < this.#liveFrom) return;
    const newest = this.#backlog.at(-1);
    if (newest && newest.upTo + 1 === this.#liveFrom) newest.upTo = lastSeq;
    else this.#backlog.push({ from: this.#liveFrom, upTo: lastSeq });
    this.#liveFrom = lastSeq + 1;
  }

  /** The next rows to send, or null. Rows are given once: a frame that got lost is sent again from memory. */
  async next(bytesMax: number, countMax: number): Promise<Chunk | null> {
    const live = await this.#outbox.take(this.#lane, this.#liveFrom, Number.MAX_SAFE_INTEGER, bytesMax, countMax);
    if (live) {
      this.#liveFrom = live.last + 1;
      return live;
    }
    for (;;) {
      const range = this.#backlog[0];
      if (range === undefined) return null;
      const chunk = await this.#outbox.take(this.#lane, range.from, range.upTo, bytesMax, countMax);
      if (chunk === null) {
        this.#backlog.shift();
        continue;
      }
      range.from = chunk.last + 1;
      return chunk;
    }
  }
}
