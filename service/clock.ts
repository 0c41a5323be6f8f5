import { readFileSync } from 'node:fs';

/** Time as a seam: tests step it, faults shift it. */
export interface Clock {
  /** UTC ms. May jump. */
  now(): number;
  /** Monotonic ms, for durations. */
  monotonic(): number;
}

const SHIFT_READ_MS = 100;
/** The machine's clock; for `gewu chaos` only, shifted by what GEWU_CLOCK_FILE says. */
export const systemClock: Clock = createSystemClock(process.env.GEWU_CLOCK_FILE);

/** With a file, the ms that it holds are added to the UTC time, read again ten times a second: somebody sets the clock. */
export function createSystemClock(shiftFile: string | undefined): Clock {
  if (shiftFile === undefined) return { now: () => Date.now(), monotonic: () => performance.now() };
  process.stderr.write(`gewu: WARNING: GEWU_CLOCK_FILE is set: times are shifted by what ${shiftFile} says. For tests only.\n`);
  let shiftMs = 0;
  const read = () => {
    try {
      const ms = Number(readFileSync(shiftFile, 'utf8'));
      if (Number.isFinite(ms)) shiftMs = ms;
    } catch {
      // Not there (yet): no shift.
      shiftMs = 0;
    }
  };
  read();
  setInterval(read, SHIFT_READ_MS).unref();
  return { now: () => Date.now() + shiftMs, monotonic: () => performance.now() };
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 0;
  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#monotonic;
  }
  /** Time passes. */
  advance(ms: number): void {
    this.#now += ms;
    this.#monotonic += ms;
  }
  /** Somebody sets the clock: no time passes. */
  jump(ms: number): void {
    this.#now += ms;
  }
}
