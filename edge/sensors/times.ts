/** Device times older or newer than this are not believed. Source: docs/domain/sensors.md, common envelope. */
const PAST_MS_MAX = 7 * 86_400_000;
const FUTURE_MS_MAX = 5 * 60_000;
/** Our own clock may be set back by so much before its new time is taken as it is. */
const STEP_BACK_MS_MAX = 5_000;
/** Samples remembered at least, to know one that comes again; a payload of many is remembered whole. */
const REMEMBERED = 16;
/** Runs of times that were given, remembered at most. */
const SPANS = 32;

export interface SampleClaim {
  /** UTC ms that the device says. */
  ts?: number | undefined;
  seq?: number | undefined;
  /** Tells apart samples of one `ts` without `seq`. */
  content(): string;
}

export interface GivenTime {
  /** UTC ms; the reading's identity together with its device. */
  ts: number;
  /** The device gave a time that cannot be. */
  skewed: boolean;
  /** Older than what the device said before, or said before: history, on which no rule runs. */
  late: boolean;
}

/**
 * Gives each sample of one device a time of its own: the device's where it can be believed, else ours. Two samples
 * of one ms get different times; the same sample again gets the time that it had, so that a resent payload changes nothing.
 */
export class DeviceTimes {
  /** Newest time that the device said and we believed; newest that we gave by our own clock. */
  #newestSaid = 0;
  #newestOurs = 0;
  #newestSeq: number | null = null;
  /** By `seq`, or by content where there is none. */
  readonly #said = new Map<number | string, { claimed: number; given: number }>();
  /** Runs of consecutive ms that were given, the oldest first: a burst within one ms is one run. */
  readonly #spans: { first: number; last: number }[] = [];
  /** Numbers that the device skipped, and samples that came again. */
  gaps = 0;
  repeats = 0;

  /** `together` is the number of samples in the payload that this one came in. */
  give(claim: SampleClaim, now: number, together = 1): GivenTime {
    const { ts: claimed, seq } = claim;
    const believed = claimed !== undefined && claimed >= now - PAST_MS_MAX && claimed <= now + FUTURE_MS_MAX;
    if (!believed) {
      this.#count(seq, false);
      return { ts: this.#ours(now), skewed: claimed !== undefined, late: false };
    }
    const identity = seq ?? claim.content();
    const before = this.#said.get(identity);
    if (before?.claimed === claimed) {
      this.repeats++;
      return { ts: before.given, skewed: false, late: true };
    }
    // A time ahead of our own clock must not make history of all that follows; nor does a clock that is set back while the device counts on.
    const late = claimed < Math.min(this.#newestSaid, now) && !(seq !== undefined && seq > (this.#newestSeq ?? seq));
    this.#count(seq, late);
    this.#newestSaid = late ? this.#newestSaid : claimed;
    const given = this.#free(claimed);
    this.#remember(identity, { claimed, given }, Math.max(REMEMBERED, 2 * together));
    return { ts: given, skewed: false, late };
  }

  #ours(now: number): number {
    const next = this.#newestOurs + 1;
    this.#newestOurs = this.#free(next - now > STEP_BACK_MS_MAX ? now : Math.max(now, next));
    return this.#newestOurs;
  }

  /** The first ms from `ts` on that was not given, now given. */
  #free(ts: number): number {
    let free = ts;
    for (let span = this.#spanAt(free); span; span = this.#spanAt(free)) free = span.last + 1;
    const before = this.#spans.find((s) => s.last === free - 1);
    if (before) before.last = free;
    else {
      this.#spans.push({ first: free, last: free });
      if (this.#spans.length > SPANS) this.#spans.shift();
    }
    return free;
  }

  #spanAt(ts: number): { first: number; last: number } | undefined {
    return this.#spans.find((s) => s.first <= ts && ts <= s.last);
  }

  #remember(identity: number | string, said: { claimed: number; given: number }, max: number): void {
    this.#said.delete(identity);
    this.#said.set(identity, said);
    for (const oldest of this.#said.keys()) {
      if (this.#said.size <= max) break;
      this.#said.delete(oldest);
    }
  }

  #count(seq: number | undefined, late: boolean): void {
    if (seq === undefined || late) return;
    const last = this.#newestSeq;
    // A device that restarts counts from the beginning: that is no gap.
    if (last !== null && seq > last + 1) this.gaps += seq - last - 1;
    this.#newestSeq = seq;
  }
}
