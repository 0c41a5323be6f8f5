import { gunzipSync } from 'node:zlib';
import { parseLine } from '#grid/wire/mod.ts';

/**
 * What must become of a frame, found out the slow and simple way from docs/wire.md: no code of the intake is used.
 */
export type Expected =
  | { kind: 'foreign' }
  /** One dead letter of the frame as a whole; acknowledged where the header can be read. */
  | { kind: 'bad'; ack: ExpectedAck | null }
  | { kind: 'good'; ack: ExpectedAck; lane: string; edge: string; lines: string[]; count: number };
export interface ExpectedAck {
  edge: string;
  ack: { epoch: string; lane: string; first: number; last: number };
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const KEYS = ['v', 'edge', 'epoch', 'lane', 'first', 'last', 'count', 'encoding'];
const WIRE_BYTES_MAX = 256 * 1024;
const UNPACKED_BYTES_MAX = 1024 * 1024;
const HEADER_BYTES_MAX = 512;

export function expectedOf(topic: string, payload: Buffer): Expected {
  const [a, b, edge = '', up, lane = '', ...rest] = topic.split('/');
  const known = ['events', 'health', 'readings'].includes(lane);
  if (a !== 'gewu' || b !== 'v1' || up !== 'up' || rest.length > 0 || !ID.test(edge) || edge.includes('\n') || !known)
    return { kind: 'foreign' };
  const end = payload.subarray(0, HEADER_BYTES_MAX).indexOf(10);
  // A frame that was cut right behind its header has no newline, and can still be named.
  const header = objectOf(payload.subarray(0, end < 0 ? HEADER_BYTES_MAX : end).toString('latin1'));
  const ack = header === null ? null : ackOf(header, edge, lane);
  const body = header === null || ack === null || !isHeader(header) || end < 0 ? null : bodyOf(header, payload, end);
  if (header === null || ack === null || body === null) return { kind: 'bad', ack };
  const lines = body.toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return { kind: 'good', ack, lane, edge, lines, count: header.count as number };
}

type Json = Record<string, unknown>;

function objectOf(line: string): Json | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null;
  }
}

const isSequence = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 1;
const isId = (s: unknown): s is string => typeof s === 'string' && ID.test(s) && !s.includes('\n');

function ackOf({ v, edge, epoch, lane, first, last }: Json, topicEdge: string, topicLane: string): ExpectedAck | null {
  const named = v === 1 && edge === topicEdge && lane === topicLane && isId(epoch) && isSequence(first) && isSequence(last);
  return named ? { edge: topicEdge, ack: { epoch, lane: topicLane, first, last } } : null;
}

function isHeader(header: Json): boolean {
  const { first, last, count, encoding } = header;
  const whole = Object.keys(header).length === KEYS.length && KEYS.every((k) => Object.hasOwn(header, k));
  const counted = isSequence(count) && count <= 100_000 && (last as number) >= (first as number);
  return whole && counted && (encoding === 'identity' || encoding === 'gzip');
}

function bodyOf({ encoding }: Json, payload: Buffer, end: number): Buffer | null {
  if (payload.length > WIRE_BYTES_MAX) return null;
  const raw = payload.subarray(end + 1);
  if (encoding === 'identity') return raw;
  try {
    const body = gunzipSync(raw);
    return body.length > UNPACKED_BYTES_MAX ? null : body;
  } catch {
    return null;
  }
}

const YEAR_2015 = Date.UTC(2015, 0, 1);
const YEAR_2100 = Date.UTC(2100, 0, 1);
const AHEAD_MS_MAX = 24 * 3_600_000;
const RESERVED = ['time', 'cell', 'device', 'edge', '__proto__'];

/** Whether a reading's line (latin1) may reach the store. */
export function isGoodLine(line: string, edge: string, now: number): boolean {
  const reading = parseLine(line);
  if ('fault' in reading) return false;
  const names = (line.split(' ')[1] as string).split(',').map((field) => field.split('=')[0] as string);
  const unique = new Set(names).size === names.length && names.length <= 128 && !names.some((n) => RESERVED.includes(n));
  const { ts } = reading;
  return unique && reading.edge === edge && ts >= YEAR_2015 && ts <= Math.min(YEAR_2100, now + AHEAD_MS_MAX);
}
