import { LineScanner } from './scan.ts';

/** Readings from before it come from a clock that was never set. */
export const TS_MIN = Date.UTC(2015, 0, 1);
/** Later than any reading: InfluxDB ends in 2262, a clock that says so is broken. */
export const TS_MAX = Date.UTC(2100, 0, 1);

/** What makes a canonical line one that we take. */
export interface LineLimits {
  /** The only edge that may speak; any when left out. */
  edge?: string;
  /** UTC ms, inclusive; at most TS_MAX. */
  tsMax: number;
}

/** Told of each line that is not taken: its number in the body, and why. */
export type RefuseLine = (index: number, line: string, reason: string) => void;

const NEWLINE = 0x0a;
const HOUR_MS = 3_600_000;
const SEQ = Buffer.from('seq');

/**
 * Readings that were checked, as they lie in memory: canonical lines joined by newlines. Only `scanReadings` makes one,
 * so whoever has one need not look again, and nobody makes an object per line.
 */
export class ReadingsBlock {
  readonly bytes: Buffer;
  /** Lines in it, at least one. */
  readonly count: number;
  /** UTC ms of the hours that they fall into, by kind. */
  readonly hours: ReadonlyMap<string, ReadonlySet<number>>;
  /** Every line has the field `seq`. */
  readonly numbered: boolean;
  /** Number of each line in the body that was scanned; null when all of it was taken. */
  readonly #indexes: readonly number[] | null;

  constructor(taken: Pick<ReadingsBlock, 'bytes' | 'count' | 'hours' | 'numbered'>, indexes: readonly number[] | null) {
    this.bytes = taken.bytes;
    this.count = taken.count;
    this.hours = taken.hours;
    this.numbered = taken.numbered;
    this.#indexes = indexes;
  }

  /** The lines one by one, with their numbers in the body: for the rare write of which a part is refused. */
  lines(): { index: number; line: string }[] {
    const lines = this.bytes.toString('latin1').split('\n');
    return lines.map((line, i) => ({ index: this.#indexes?.[i] ?? i, line }));
  }
}

const scanner = new LineScanner();

/**
 * Checks the lines of a body where they lie. The last one may end with a newline or not. Null when none is taken. Never
 * throws. The block shares the body's memory when all lines are taken.
 */
export function scanReadings(body: Buffer, limits: LineLimits, refuse: RefuseLine): ReadingsBlock | null {
  const edge = limits.edge === undefined ? null : Buffer.from(limits.edge, 'latin1');
  const tsMax = Math.min(limits.tsMax, TS_MAX);
  const touched = new TouchedHours(body);
  /** Where lines that are taken begin and end, once one is not. */
  let parts: Buffer[] | null = null;
  let indexes: number[] | null = null;
  let count = 0;
  let numbered = true;
  let index = 0;
  for (let start = 0; start < body.length; index++) {
    const fault = scanner.scan(body, start, body.length) ?? untimely(scanner.ts, tsMax) ?? foreign(body, edge);
    const end = fault === null ? scanner.lineEnd : endOfLine(body, start);
    if (fault === null) {
      count++;
      indexes?.push(index);
      parts?.push(body.subarray(start, end));
      touched.add(start, scanner);
      numbered &&= hasSeq(body);
    } else {
      parts ??= index === 0 ? [] : [body.subarray(0, start - 1)];
      indexes ??= Array.from({ length: index }, (_, i) => i);
      refuse(index, body.toString('latin1', start, end), fault);
    }
    start = end + 1;
  }
  if (count === 0) return null;
  const whole = body.at(-1) === NEWLINE ? body.subarray(0, body.length - 1) : body;
  const bytes = parts === null ? whole : joined(parts);
  return new ReadingsBlock({ bytes, count, hours: touched.hours, numbered }, indexes);
}

function endOfLine(body: Buffer, start: number): number {
  const newline = body.indexOf(NEWLINE, start);
  return newline < 0 ? body.length : newline;
}

/** One buffer of its own, its lines joined by newlines. */
export function joined(parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length + 1, 0);
  const all = Buffer.allocUnsafeSlow(Math.max(0, size - 1));
  let at = 0;
  for (const part of parts) {
    if (at > 0) all[at++] = NEWLINE;
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Collects hours by kind; a shape of line in the hour that it was last in costs no look-up. */
class TouchedHours {
  static #made = 0;
  readonly #number = ++TouchedHours.#made;
  readonly hours = new Map<string, Set<number>>();
  readonly #body: Buffer;

  constructor(body: Buffer) {
    this.#body = body;
  }

  add(start: number, { kindEnd, ts, shape }: LineScanner): void {
    if (shape.notedFor === this.#number && ts >= shape.hour && ts < shape.hour + HOUR_MS) return;
    const kind = this.#body.toString('latin1', start, kindEnd);
    shape.hour = ts - (ts % HOUR_MS);
    shape.notedFor = this.#number;
    const known = this.hours.get(kind);
    if (known) known.add(shape.hour);
    else this.hours.set(kind, new Set([shape.hour]));
  }
}

function untimely(ts: number, tsMax: number): string | null {
  if (ts > tsMax) return `its time ${ts} is in the future`;
  return ts < TS_MIN ? `its time ${ts} is before 2015` : null;
}

function foreign(body: Buffer, edge: Buffer | null): string | null {
  if (edge === null) return null;
  const { edgeStart, edgeEnd } = scanner;
  let same = edgeEnd - edgeStart === edge.length;
  for (let i = 0; same && i < edge.length; i++) same = body[edgeStart + i] === edge[i];
  return same ? null : `names edge ${body.toString('latin1', edgeStart, edgeEnd)}`;
}

function hasSeq(body: Buffer): boolean {
  const { fieldCount, nameStart, nameEnd } = scanner;
  for (let i = fieldCount - 1; i >= 0; i--) {
    const start = nameStart[i] as number;
    if ((nameEnd[i] as number) - start !== 3) continue;
    if (body[start] === SEQ[0] && body[start + 1] === SEQ[1] && body[start + 2] === SEQ[2]) return true;
  }
  return false;
}

/** Where the fields of a canonical line begin. */
export function fieldsStart(line: string): number {
  return line.indexOf(' ') + 1;
}

/** Whether a canonical line has the field `seq`. */
export function isNumbered(line: string): boolean {
  return line.includes(' seq=') || line.includes(',seq=');
}
