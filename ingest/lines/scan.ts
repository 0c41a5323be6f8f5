import {
  bytesOf,
  COMMA,
  classes,
  DIGIT,
  digitsValue,
  EQUALS,
  excerpt,
  fourDigits,
  ID,
  LETTER_F,
  LETTER_T,
  NEWLINE,
  numberEnd,
  SPACE,
  slice,
  startsWith,
  wordEnd,
} from './bytes.ts';
import { KnownBytes, LineShape, LineShapes } from './known.ts';
import { ID_BYTES_MAX, LINE_FIELDS_MAX } from './limits.ts';

const FIELDS_BYTES_MAX = 4096;
const CELL_DIGITS = 15;
/** An edge, its tag and the space behind it. */
const TAIL_BYTES_MAX = 80;
const TIME_DIGITS_MIN = 4;
const TIME_DIGITS_MAX = 16;
const US_DIGITS = 3;
/** Of the ms. */
const LOW_DIGITS = 8;

const CELL_TAG = bytesOf(',cell=');
const DEVICE_TAG = bytesOf(',device=');
const EDGE_TAG = bytesOf(',edge=');
/** A field of such a name would hide a tag or the time in a query, or be lost in an object. */
const RESERVED_FIELDS = ['time', 'cell', 'edge', 'device', '__proto__'].map(bytesOf);

/**
 * Checks canonical lines where they lie in a larger buffer, without making an object or a string per line.
 * Accepts what `parseLine` accepts, except lines with a repeated or reserved field name or
 * more than LINE_FIELDS_MAX fields. The positions of the last line scanned are in its properties.
 */
export class LineScanner {
  kindEnd = 0;
  cellStart = 0;
  deviceStart = 0;
  deviceEnd = 0;
  edgeStart = 0;
  edgeEnd = 0;
  fieldsStart = 0;
  fieldsEnd = 0;
  fieldCount = 0;
  /** Of field i: its name, its value, and whether it is a boolean. */
  readonly nameStart = new Int32Array(LINE_FIELDS_MAX);
  readonly nameEnd = new Int32Array(LINE_FIELDS_MAX);
  readonly valueEnd = new Int32Array(LINE_FIELDS_MAX);
  readonly boolean = new Uint8Array(LINE_FIELDS_MAX);
  /** UTC ms, and microseconds within it. */
  ts = 0;
  us = 0;
  lineEnd = 0;
  /** What it has in common with others. */
  shape = new LineShape();
  readonly #shapes = new LineShapes();
  /** Of the line before, from the device to the fields. */
  readonly #tail = new KnownBytes(TAIL_BYTES_MAX);
  #tailLength = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);

  /**
   * Scans the line at `start`, UTF-8, which goes to the next newline or to `end`; null, or why it is no canonical line.
   */
  scan(bytes: Uint8Array, start: number, end: number): string | null {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#scanSeries(bytes, start, end) ?? this.#scanFields(bytes, end) ?? this.#scanTime(bytes, end);
  }

  /** Up to the space behind the tags. */
  #scanSeries(bytes: Uint8Array, start: number, end: number): string | null {
    const shape = this.#shapes.find(this.#view, start, end);
    if (shape === null) {
      const fault = this.#scanHead(bytes, start, end);
      if (fault !== null) return fault;
    } else {
      this.shape = shape;
      this.kindEnd = start + shape.kindLength;
      this.deviceStart = start + shape.headLength;
      this.cellStart = this.kindEnd + CELL_TAG.length;
    }
    let i = this.deviceStart;
    while (i < end && (classes[bytes[i] as number] as number) >= ID) i++;
    this.deviceEnd = i;
    if (!isIdLength(i - this.deviceStart)) return 'not a canonical line: device';
    this.edgeStart = i + EDGE_TAG.length;
    if (this.#tailLength > 0 && this.#tail.stands(this.#view, i, end, 0, this.#tailLength)) {
      this.fieldsStart = i + this.#tailLength;
      this.edgeEnd = this.fieldsStart - 1;
      return null;
    }
    return this.#scanTail(bytes, end);
  }

  /** Up to the device. */
  #scanHead(bytes: Uint8Array, start: number, end: number): string | null {
    let i = start;
    while (i < end && (classes[bytes[i] as number] as number) >= ID) i++;
    if (!isIdLength(i - start)) return 'not a canonical line: kind';
    this.kindEnd = i;
    if (!startsWith(bytes, i, end, CELL_TAG)) return 'not a canonical line: cell';
    i += CELL_TAG.length;
    this.cellStart = i;
    while (i < end && classes[bytes[i] as number] === DIGIT) i++;
    if (i - this.cellStart !== CELL_DIGITS) return 'not a canonical line: cell';
    if (!startsWith(bytes, i, end, DEVICE_TAG)) return 'not a canonical line: device';
    this.deviceStart = i + DEVICE_TAG.length;
    this.shape = this.#shapes.fresh();
    this.shape.kindLength = this.kindEnd - start;
    this.shape.headLength = this.deviceStart - start;
    this.shape.head.learn(bytes, start, this.deviceStart);
    return null;
  }

  /** From the device to the fields. */
  #scanTail(bytes: Uint8Array, end: number): string | null {
    if (!startsWith(bytes, this.deviceEnd, end, EDGE_TAG)) return 'not a canonical line: device';
    let i = this.edgeStart;
    while (i < end && (classes[bytes[i] as number] as number) >= ID) i++;
    this.edgeEnd = i;
    if (!isIdLength(i - this.edgeStart) || i >= end || bytes[i] !== SPACE) return 'not a canonical line: edge';
    this.fieldsStart = i + 1;
    this.#tail.learn(bytes, this.deviceEnd, this.fieldsStart);
    this.#tailLength = this.fieldsStart - this.deviceEnd;
    return null;
  }

  #scanFields(bytes: Uint8Array, end: number): string | null {
    const { nameStart, nameEnd, valueEnd, boolean } = this;
    let count = 0;
    for (let i = this.fieldsStart; ; i++) {
      if (count === LINE_FIELDS_MAX) return `more than ${LINE_FIELDS_MAX} fields`;
      const name = i;
      i = this.#knownName(name, end, count);
      if (i < 0) {
        i = name;
        while (i < end && (classes[bytes[i] as number] as number) >= ID) i++;
        if (!isIdLength(i - name) || i >= end || bytes[i] !== EQUALS) return `field ${excerpt(bytes, name, end)}`;
        if (isReserved(bytes, name, i)) return `field ${slice(bytes, name, i)}: reserved name`;
        if (this.#repeats(bytes, name, i, count)) return `field ${slice(bytes, name, i)} twice`;
        this.#learn(bytes, name, i, count);
      }
      nameStart[count] = name;
      nameEnd[count] = i;
      const first = ++i < end ? (bytes[i] as number) : 0;
      boolean[count] = first === LETTER_T || first === LETTER_F ? 1 : 0;
      i = boolean[count] === 1 ? wordEnd(bytes, i, end) : numberEnd(bytes, i, end);
      if (i < 0) return `field ${excerpt(bytes, name, end)}`;
      valueEnd[count++] = i;
      if (i >= end) return 'not a canonical line: no time';
      if (bytes[i] === COMMA) continue;
      if (bytes[i] !== SPACE) return `field ${excerpt(bytes, name, end)}`;
      this.fieldCount = count;
      this.fieldsEnd = i;
      return i - this.fieldsStart > FIELDS_BYTES_MAX ? 'fields are too long' : null;
    }
  }

  /** The end of the name at `start` when it is that of field `index` of the line before, else -1. */
  #knownName(start: number, end: number, index: number): number {
    const { namesKnown, namesEnd, names } = this.shape;
    if (index >= namesKnown) return -1;
    const [from, to] = [namesEnd[index] as number, namesEnd[index + 1] as number];
    return names.stands(this.#view, start, end, from, to) ? start + to - from - 1 : -1;
  }

  #learn(bytes: Uint8Array, start: number, end: number, index: number): void {
    const { namesEnd, names } = this.shape;
    const at = namesEnd[index] as number;
    names.learn(bytes, start, end + 1, at);
    namesEnd[index + 1] = at + end + 1 - start;
    this.shape.namesKnown = index + 1;
  }

  /** Whether a field of this line before `index` has this name. */
  #repeats(bytes: Uint8Array, start: number, end: number, index: number): boolean {
    const length = end - start;
    for (let k = 0; k < index; k++) {
      const other = this.nameStart[k] as number;
      if ((this.nameEnd[k] as number) - other !== length) continue;
      let i = 0;
      while (i < length && bytes[other + i] === bytes[start + i]) i++;
      if (i === length) return true;
    }
    return false;
  }

  #scanTime(bytes: Uint8Array, end: number): string | null {
    const start = this.fieldsEnd + 1;
    const whole = start + TIME_DIGITS_MAX;
    if (whole < end ? bytes[whole] === NEWLINE : whole === end) {
      const view = this.#view;
      const [a, b] = [fourDigits(view.getInt32(start)), fourDigits(view.getInt32(start + 4))];
      const [c, d] = [fourDigits(view.getInt32(start + 8)), fourDigits(view.getInt32(start + 12))];
      if (a >= 0 && b >= 0 && c >= 0 && d >= 0) {
        this.us = d % 1000;
        this.ts = (a * 10_000 + b) * 100_000 + c * 10 + (d - this.us) / 1000;
        this.lineEnd = whole;
        return null;
      }
    }
    const digitsMax = Math.min(end, start + TIME_DIGITS_MAX);
    let i = start;
    while (i < digitsMax && classes[bytes[i] as number] === DIGIT) i++;
    this.lineEnd = i;
    if (i - start < TIME_DIGITS_MIN || (i < end && bytes[i] !== NEWLINE)) return 'not a canonical line: time';
    // In parts, because one number of all digits is no small integer.
    const ms = i - US_DIGITS;
    const middle = Math.max(start, ms - LOW_DIGITS);
    this.ts = digitsValue(bytes, start, middle) * 10 ** LOW_DIGITS + digitsValue(bytes, middle, ms);
    this.us = digitsValue(bytes, ms, i);
    return null;
  }
}

function isIdLength(length: number): boolean {
  return length >= 1 && length <= ID_BYTES_MAX;
}

function isReserved(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length !== 4 && length !== 6 && length !== 9) return false;
  for (const name of RESERVED_FIELDS) if (name.length === length && startsWith(bytes, start, end, name)) return true;
  return false;
}
