import { localToUtcMs } from '../time.ts';
import { CONVERSIONS, type MappedField, type Mapping } from './mapping.ts';

/** What stands at a field's path as our value; undefined when it is none. */
export function toValue(value: unknown, field: MappedField): number | boolean | undefined {
  if (typeof value === 'object') return undefined;
  if (field.values) return Object.hasOwn(field.values, String(value)) ? field.values[String(value)] : undefined;
  if (typeof value === 'boolean') return value;
  const number = toNumber(value);
  if (number === undefined) return undefined;
  const converted = isConverted(field) ? convert(number, field) : number;
  if (!Number.isFinite(converted)) return undefined;
  return field.absolute ? Math.abs(converted) : converted;
}

const isConverted = ({ convert, scale, offset }: MappedField) => (convert ?? scale ?? offset) !== undefined;

function convert(number: number, { convert, scale = 1, offset = 0 }: MappedField): number {
  const unit = convert ? CONVERSIONS[convert] : { factor: 1, offset: 0 };
  // 3312 mV is 3.312 V, not 3.3120000000000003.
  return Number(((number * unit.factor + unit.offset) * scale + offset).toPrecision(12));
}

/** A finite number, also as text. */
export function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

const ISO_EXPRESSION = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/;

/** UTC ms, whole and not negative; null when it is no such time. */
export function toMs(value: unknown, { format, timeZone = 'UTC' }: NonNullable<Mapping['time']>): number | null {
  const ms = parseTime(value, format, timeZone);
  return ms !== undefined && ms !== null && Number.isSafeInteger(ms) && ms >= 0 ? ms : null;
}

function parseTime(value: unknown, format: NonNullable<Mapping['time']>['format'], timeZone: string): number | null | undefined {
  const number = format.startsWith('unix') ? toNumber(value) : undefined;
  const text = typeof value === 'string' ? value : '';
  switch (format) {
    case 'unix_s':
      return number === undefined ? null : Math.round(number * 1000);
    case 'unix_ms':
      return number === undefined ? null : Math.round(number);
    case 'iso8601':
      return ISO_EXPRESSION.test(text) ? Date.parse(text) : null;
    case 'local':
      return localToUtcMs(text, timeZone);
  }
}

const HEX_EXPRESSION = /^(?:[0-9A-Fa-f]{2})+$/;
const BASE64_EXPRESSION = /^[A-Za-z0-9+/]+={0,2}$/;

export function toBytes(value: unknown, encoding: 'base64' | 'hex'): Uint8Array | null {
  if (typeof value !== 'string') return null;
  if (encoding === 'hex') {
    if (!HEX_EXPRESSION.test(value)) return null;
    return Uint8Array.from(value.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }
  const digits = value.replace(/=+$/, '');
  if (!BASE64_EXPRESSION.test(value) || digits.length % 4 === 1) return null;
  return Uint8Array.from(atob(digits), (c) => c.charCodeAt(0));
}
