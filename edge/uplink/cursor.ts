import type { Lane } from '#grid/wire/mod.ts';
import type { Chunk, Outbox } from '../outbox/mod.ts';

/** What the uplink needs of the outbox. */
export type Rows = Pick<Outbox, 'stats' | 'take' | 'remove' | 'onAppended'>;

/**
 * Where the uplink stands in one lane. What was appended since the connection came up is live and goes first;
 * everything older is backlog, oldest first.
 *
 *   1 ......... backlog ......... | liveFrom ....... lastSeq
 */
export class LaneCursor {
  readonly #lane: Lane;
  readonly #outbox: Rows;
  #liveFrom: number;
  /** Disjoint, oldest first. */
  #backlog: { from: number; upTo: number }[] = [];

  constructor(lane: Lane, outbox: Rows) {
    this.#lane = lane;
    this.#outbox = outbox;
    this.#liveFrom = 1;
    this.fallBehind();
  }

  /** The connection was away: what was live is backlog now. */
  fallBehind(): void {
    const { lastSeq } = this.#outbox.stats[this.#lane];
    if (lastSeq < this.#liveFrom) return;
    this.#addBacklog(this.#liveFrom, lastSeq);
    this.#liveFrom = lastSeq + 1;
  }

  /** Rows that were taken and are to be taken again. */
  giveBack(first: number, last: number): void {
    this.#addBacklog(first, last);
  }

  /** Rows that may be live; some of them may have been dropped meanwhile. */
  get liveCount(): number {
    return Math.max(0, this.#outbox.stats[this.#lane].lastSeq - this.#liveFrom + 1);
  }

  get hasBacklog(): boolean {
    return this.#backlog.length > 0;
  }

  /** The next live rows, or null. Rows are given once: a frame that got lost is sent again from memory. */
  async nextLive(bytesMax: number, countMax: number): Promise<Chunk | null> {
    const { lastSeq } = this.#outbox.stats[this.#lane];
    if (lastSeq < this.#liveFrom) return null;
    const chunk = await this.#outbox.take(this.#lane, this.#liveFrom, lastSeq, bytesMax, countMax);
    const upTo = chunk?.last ?? lastSeq;
    // While we waited the connection may have been lost and found: what we hold is backlog then.
    if (upTo >= this.#liveFrom) this.#liveFrom = upTo + 1;
    else if (chunk) this.#taken(chunk);
    return chunk;
  }

  /** The next rows of the backlog, or null. */
  async nextBacklog(bytesMax: number, countMax: number): Promise<Chunk | null> {
    for (let range = this.#backlog[0]; range; range = this.#backlog[0]) {
      const { from, upTo } = range;
      const chunk = await this.#outbox.take(this.#lane, from, upTo, bytesMax, countMax);
      this.#taken({ first: from, last: chunk?.last ?? upTo });
      if (chunk) return chunk;
    }
    return null;
  }

  #addBacklog(from: number, upTo: number): void {
    const at = this.#backlog.findIndex((range) => range.from > from);
    this.#backlog.splice(at < 0 ? this.#backlog.length : at, 0, { from, upTo });
    this.#merge();
  }

  /** Ranges that touch become one: the list stays as short as there are gaps. */
  #merge(): void {
    const merged: { from: number; upTo: number }[] = [];
    for (const range of this.#backlog) {
      const before = merged.at(-1);
      if (before && before.upTo + 1 >= range.from) before.upTo = Math.max(before.upTo, range.upTo);
      else merged.push({ ...range });
    }
    this.#backlog = merged;
  }

  /** Takes these rows out of the backlog. */
  #taken({ first, last }: { first: number; last: number }): void {
    this.#backlog = this.#backlog.flatMap(({ from, upTo }) => {
      if (upTo < first || from > last) return [{ from, upTo }];
      const rest = [];
      if (from < first) rest.push({ from, upTo: first - 1 });
      if (upTo > last) rest.push({ from: last + 1, upTo });
      return rest;
    });
  }
}
