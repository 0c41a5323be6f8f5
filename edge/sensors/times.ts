/** Device times older or newer than this are not believed. Source: docs/domain/sensors.md, common envelope. */
const PAST_MS_MAX = 7 * 86_400_000;
const FUTURE_MS_MAX = 5 * 60_000;
const REMEMBERED = 16;

export interface GivenTime {
  /** UTC ms; the reading's identity together with its device. */
  ts: number;
  /** The device gave a time that cannot be. */
  skewed: boolean;
  /** Older than what the device said before: history, on which no rule runs. */
  late: boolean;
}

/**
 * Gives each sample of one device a time of its own: the device's where it can be believed. Two samples of one
 * ms get different times; the same sample again (same seq, same ts) gets the time that it had.
 */
export class DeviceTimes {
  #newest = 0;
  #newestSeq: number | null = null;
  #recent: { seq: number | undefined; claimed: number | undefined; given: number }[] = [];
  /** Numbers that the device skipped, and those that came again. */
  gaps = 0;
  repeats = 0;

  give(claimed: number | undefined, seq: number | undefined, now: number): GivenTime {
    const believed = claimed !== undefined && claimed >= now - PAST_MS_MAX && claimed <= now + FUTURE_MS_MAX;
    const skewed = claimed !== undefined && !believed;
    const again = seq === undefined ? undefined : this.#recent.find((r) => r.seq === seq && r.claimed === claimed);
    if (again) {
      this.repeats++;
      return { ts: again.given, skewed, late: true };
    }
    this.#count(seq);
    let ts = believed ? (claimed as number) : now;
    while (this.#recent.some((r) => r.given === ts)) ts++;
    const late = ts < this.#newest;
    this.#newest = Math.max(this.#newest, ts);
    this.#recent.push({ seq, claimed, given: ts });
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    return { ts, skewed, late };
  }

  #count(seq: number | undefined): void {
    if (seq === undefined) return;
    const last = this.#newestSeq;
    // A device that restarts counts from the beginning: that is no gap.
    if (last !== null && seq > last + 1) this.gaps += seq - last - 1;
    this.#newestSeq = seq;
  }
}
