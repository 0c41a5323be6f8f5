/**
 * A commit costs 0.4 ms of CPU over both threads and a sync of the disk, and each record in it 2 us. So many a second cost a
 * core 2 % and are not worth a wait.
 */
const COMMITS_PER_S = 50;
/** So many more after a time with fewer: where little happens nobody waits. */
const SPARE_MAX = 25;
/** From so many records on a commit costs each no more than its message does: it waits only while more keep coming. */
const RECORDS_WORTH = 8;
const QUIET_MS = 1;
/** No need to wait for more. */
const RECORDS_ENOUGH = 64;
const BYTES_ENOUGH = 64 * 1024;

/** What waits for a commit. */
export interface Waiting {
  records: number;
  bytes: number;
  /** An event: somebody waits for it, and there are few of them. */
  hurried: boolean;
}

/**
 * When a group is committed: at once, as long as commits are few; else it gathers for 20 ms at most, and less when so much
 * waits that a commit of its own is cheap. Times are monotonic ms.
 */
export class CommitPace {
  #spare = SPARE_MAX;
  #countedAt = 0;
  /** When it was last asked about a group, and how many records that had. */
  #seen = { records: 0, at: 0 };
  /** It is asked about each ms. */
  #watching = false;

  /** 0: commit it. Else ask again after so many ms, or when more has come. */
  waitMs({ records, bytes, hurried }: Waiting, now: number): number {
    this.#count(now);
    if (hurried || this.#spare >= 1 || records >= RECORDS_ENOUGH || bytes >= BYTES_ENOUGH) return 0;
    const forSpareMs = Math.max(1, ((1 - this.#spare) * 1000) / COMMITS_PER_S);
    this.#watching = records >= RECORDS_WORTH;
    if (!this.#watching) return forSpareMs;
    if (records === this.#seen.records && now - this.#seen.at >= QUIET_MS) return 0;
    if (records !== this.#seen.records) this.#seen = { records, at: now };
    return QUIET_MS;
  }

  /** Whether one that waits is worth being asked about again before its time. */
  isNoteworthy({ records, bytes, hurried }: Waiting): boolean {
    return hurried || (records >= RECORDS_WORTH && !this.#watching) || records >= RECORDS_ENOUGH || bytes >= BYTES_ENOUGH;
  }

  /** A group is being committed. */
  committed(now: number): void {
    this.#count(now);
    this.#spare = Math.max(0, this.#spare - 1);
    this.#seen = { records: 0, at: 0 };
  }

  #count(now: number): void {
    this.#spare = Math.min(SPARE_MAX, this.#spare + ((now - this.#countedAt) / 1000) * COMMITS_PER_S);
    this.#countedAt = now;
  }
}
