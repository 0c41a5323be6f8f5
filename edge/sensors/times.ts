import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Device times older or newer than this are not believed. Source: docs/domain/sensors.md, common envelope. */
const PAST_MS_MAX = 7 * 86_400_000;
const FUTURE_MS_MAX = 5 * 60_000;
/** Our own clock may be set back by so much before its new time is taken as it is. */
const STEP_BACK_MS_MAX = 5_000;
/** Samples remembered at least, to know one that comes again; a payload of many is remembered whole. */
const REMEMBERED = 16;
/** Of the 1000 microseconds of each ms: the lower ones are for times that devices say, the others for ours. They never meet. */
const HALF_US = 500;

export interface SampleClaim {
  /** UTC ms that the device says. */
  ts?: number | undefined;
  seq?: number | undefined;
  /** Tells apart samples of one `ts` without `seq`. */
  content(): string;
}

export interface GivenTime {
  /** UTC ms, and microseconds within it: the reading's identity together with its device. */
  ts: number;
  us: number;
  /** The device gave a time that cannot be. */
  skewed: boolean;
  /** Older than what the device said before, or said before: history, on which no rule runs. */
  late: boolean;
}

type Said = Pick<SampleClaim, 'seq' | 'content'>;

/**
 * Gives each sample of one device a time of its own: the device's where it can be believed, else ours. The microseconds of
 * a device's time follow from its `seq` alone (from its content where it has none), and from nothing that we remember:
 *
 *   ts 1736889600000, seq 12  ->  1736889600000 ms + 12 us
 *
 * so that five hundred samples of one ms, or of a clock that knows whole seconds only, get five hundred times, and a sample
 * that comes again gets its own again, also from a node that was killed in between. A sample without a time has no such
 * identity: one that is sent again after a kill is stored twice.
 */
export class DeviceTimes {
  /** Newest time that the device said and we believed, UTC ms. */
  #newestSaid = 0;
  #newestSeq: number | null = null;
  /** Newest time that we gave by our own clock, in steps of a five-hundredth of a ms; ours differ from those of another life. */
  #newestOurs = 0;
  #ourStep = randomInt(HALF_US);
  /** The last ones of the device's times that were given, UTC microseconds. */
  readonly #said = new Map<number, Said>();
  /** Numbers that the device skipped, and samples that came again. */
  gaps = 0;
  repeats = 0;

  /** `together` is the number of samples in the payload that this one came in. */
  give(claim: SampleClaim, now: number, together = 1): GivenTime {
    const { ts: claimed, seq } = claim;
    const believed = claimed !== undefined && claimed >= now - PAST_MS_MAX && claimed <= now + FUTURE_MS_MAX;
    if (!believed) {
      this.#count(seq, false);
      return { ...this.#ours(now), skewed: claimed !== undefined, late: false };
    }
    const { given, again } = this.#place(claimed, claim);
    if (again) {
      this.repeats++;
      return { ...split(given), skewed: false, late: true };
    }
    // A time ahead of our own clock must not make history of all that follows; nor does a clock that is set back while the device counts on.
    const late = claimed < Math.min(this.#newestSaid, now) && !(seq !== undefined && seq > (this.#newestSeq ?? seq));
    this.#count(seq, late);
    // Not ahead of our own clock: who sets his back to the right time must not be late until that has come.
    if (!late) this.#newestSaid = Math.min(claimed, now);
    this.#remember(given, claim, Math.max(REMEMBERED, 2 * together));
    return { ...split(given), skewed: false, late };
  }

  /** The time of a sample, or the next one that none of the remembered others has: of a device that says 0 each time, say. */
  #place(claimed: number, { seq, content }: SampleClaim): { given: number; again: boolean } {
    let given = claimed * 1000 + ((seq ?? crc32(content())) % HALF_US);
    for (let said = this.#said.get(given); said; said = this.#said.get(given)) {
      if (said.seq === seq && said.content() === content()) return { given, again: true };
      given += given % 1000 === HALF_US - 1 ? 1001 - HALF_US : 1;
    }
    return { given, again: false };
  }

  #ours(now: number): { ts: number; us: number } {
    const [next, clock] = [this.#newestOurs + 1, now * HALF_US + this.#ourStep];
    if (next - clock > STEP_BACK_MS_MAX * HALF_US) {
      this.#ourStep = randomInt(HALF_US);
      this.#newestOurs = now * HALF_US + this.#ourStep;
    } else this.#newestOurs = Math.max(clock, next);
    return { ts: Math.floor(this.#newestOurs / HALF_US), us: HALF_US + (this.#newestOurs % HALF_US) };
  }

  #remember(given: number, { seq, content }: SampleClaim, max: number): void {
    this.#said.set(given, { seq, content });
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

const split = (given: number) => ({ ts: Math.floor(given / 1000), us: given % 1000 });
