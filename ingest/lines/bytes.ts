/** The alphabet of canonical lines, and its parts, looked at where they lie. */

/** Classes of bytes: below `ID` a byte is in no id. */
export const ID = 1;
export const DIGIT = 2;
export const classes = new Uint8Array(256);
for (let c = 0x30; c <= 0x39; c++) classes[c] = DIGIT;
for (let c = 0x41; c <= 0x5a; c++) classes[c] = ID;
for (let c = 0x61; c <= 0x7a; c++) classes[c] = ID;
classes[0x5f] = ID;
classes[0x2d] = ID;

export const NEWLINE = 0x0a;
export const COMMA = 0x2c;
export const SPACE = 0x20;
export const EQUALS = 0x3d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const LETTER_E = 0x65;
export const LETTER_F = 0x66;
export const LETTER_T = 0x74;
/** Below this many characters a number without exponent is finite for sure. */
const NUMBER_CHARS_SAFE = 300;

const TRUE = bytesOf('true');
const FALSE = bytesOf('false');

/** The end of `true` or `false`, or -1. */
export function wordEnd(bytes: Uint8Array, start: number, end: number): number {
  const word = bytes[start] === LETTER_T ? TRUE : FALSE;
  return startsWith(bytes, start, end, word) ? start + word.length : -1;
}

/** The end of `-?digits(.digits)?(e[+-]?digits)?` that is finite, or -1. */
export function numberEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start < end && bytes[start] === MINUS ? start + 1 : start;
  let digits = i;
  while (i < end && classes[bytes[i] as number] === DIGIT) i++;
  if (i === digits) return -1;
  if (i < end && bytes[i] === DOT) {
    digits = ++i;
    while (i < end && classes[bytes[i] as number] === DIGIT) i++;
    if (i === digits) return -1;
  }
  if (i < end && bytes[i] === LETTER_E) return exponentEnd(bytes, start, i, end);
  return i - start <= NUMBER_CHARS_SAFE || isFiniteText(bytes, start, i) ? i : -1;
}

/** Of a number from `start` on whose `e` is at `at`. */
function exponentEnd(bytes: Uint8Array, start: number, at: number, end: number): number {
  let i = at + 1;
  if (i < end && (bytes[i] === PLUS || bytes[i] === MINUS)) i++;
  const digits = i;
  while (i < end && classes[bytes[i] as number] === DIGIT) i++;
  return i > digits && isFiniteText(bytes, start, i) ? i : -1;
}

function isFiniteText(bytes: Uint8Array, start: number, end: number): boolean {
  return Number.isFinite(Number(slice(bytes, start, end)));
}

/** The value of four digits that are one big-endian word; -1 when there is something else. */
export function fourDigits(word: number): number {
  const v = word ^ 0x30303030;
  // Each of the bytes is 0 to 9: no high nibble, and none when 6 is added.
  if (((v | (v + 0x06060606)) & 0xf0f0f0f0) !== 0) return -1;
  return (v >> 24) * 1000 + ((v >> 16) & 15) * 100 + ((v >> 8) & 15) * 10 + (v & 15);
}

/** The value of at most nine digits. */
export function digitsValue(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + (bytes[i] as number) - 0x30;
  return value;
}

export function startsWith(bytes: Uint8Array, at: number, end: number, what: Uint8Array): boolean {
  if (at + what.length > end) return false;
  for (let i = 0; i < what.length; i++) if (bytes[at + i] !== what[i]) return false;
  return true;
}

export function slice(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}

export function excerpt(bytes: Uint8Array, start: number, end: number): string {
  const [line] = slice(bytes, start, Math.min(end, start + 80)).split('\n');
  return line as string;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}
