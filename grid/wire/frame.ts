import { promisify } from 'node:util';
import { gunzipSync, gzip as gzipCallback, gzipSync } from 'node:zlib';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Id } from '../ids.ts';

/**
 * A frame: one JSON header line, `\n`, the body. Readings travel as line protocol (us), events and health as NDJSON.
 * `first` and `last` are the outbox sequence numbers it covers; `count` is the number of records (lines) in it.
 */
export const FRAME_BYTES_MAX = 256 * 1024;
export const FRAME_UNPACKED_BYTES_MAX = 1024 * 1024;

export const FrameHeader = Type.Object(
  {
    v: Type.Literal(1),
    edge: Id(),
    /** Random per start of the edge process. */
    epoch: Id(),
    lane: Type.Union([Type.Literal('events'), Type.Literal('health'), Type.Literal('readings')]),
    first: Type.Integer({ minimum: 1 }),
    last: Type.Integer({ minimum: 1 }),
    count: Type.Integer({ minimum: 1, maximum: 100_000 }),
    encoding: Type.Union([Type.Literal('identity'), Type.Literal('gzip')]),
  },
  { additionalProperties: false },
);
export type FrameHeader = Static<typeof FrameHeader>;
const headerCheck = Compile(FrameHeader);

/** Names exactly one frame, never "all up to". */
export const Ack = Type.Object(
  {
    epoch: Id(),
    lane: Type.Union([Type.Literal('events'), Type.Literal('health'), Type.Literal('readings')]),
    first: Type.Integer({ minimum: 1 }),
    last: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type Ack = Static<typeof Ack>;
export const checkAck = Compile(Ack);

export type FrameFault = 'too_large' | 'no_header' | 'bad_header' | 'bad_encoding' | 'unpacked_too_large';
export type DecodedFrame = { ok: true; header: FrameHeader; body: Buffer } | { ok: false; fault: FrameFault; detail: string };

/** Below this a gzip costs more than it saves. */
const GZIP_FROM_BYTES = 1024;

/** Header and body to wire bytes; chooses the encoding. The caller keeps within FRAME_UNPACKED_BYTES_MAX. */
export function encodeFrame(header: Omit<FrameHeader, 'v' | 'encoding'>, body: Buffer): Buffer {
  return joinFrame(header, body, body.length >= GZIP_FROM_BYTES ? gzipSync(body, { level: 1 }) : body);
}

/** Up to here packing takes a fraction of a millisecond, and another thread would cost more than it saves. */
const GZIP_HERE_BYTES_MAX = 16 * 1024;
const gzipAside = promisify(gzipCallback);

/** The same, with large bodies packed aside, so that a backlog on its way out does not stall the loop. */
export async function packFrame(header: Omit<FrameHeader, 'v' | 'encoding'>, body: Buffer): Promise<Buffer> {
  if (body.length <= GZIP_HERE_BYTES_MAX) return encodeFrame(header, body);
  return joinFrame(header, body, await gzipAside(body, { level: 1 }));
}

function joinFrame(header: Omit<FrameHeader, 'v' | 'encoding'>, body: Buffer, packed: Buffer): Buffer {
  const gzip = packed.length < body.length;
  const head: FrameHeader = { v: 1, ...header, encoding: gzip ? 'gzip' : 'identity' };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), gzip ? packed : body]);
}

const HEADER_BYTES_MAX = 512;
const NEWLINE = 0x0a;

const CHUNK_BYTES_MIN = 1024;

/**
 * What the packed bytes say of their own size (RFC 1952: ISIZE, the last four bytes), within bounds whatever they say. A
 * body that comes out in one piece costs half of one that is put together.
 */
function unpackedBytes(packed: Buffer): number {
  const said = packed.length < 4 ? 0 : packed.readUInt32LE(packed.length - 4);
  // A little more, so that the unpacker sees the end before it asks for another piece.
  return Math.min(FRAME_UNPACKED_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, said)) + CHUNK_BYTES_MIN;
}

export function decodeFrame(payload: Buffer): DecodedFrame {
  if (payload.length > FRAME_BYTES_MAX) return { ok: false, fault: 'too_large', detail: `${payload.length} B` };
  const end = payload.subarray(0, HEADER_BYTES_MAX).indexOf(NEWLINE);
  if (end < 0) return { ok: false, fault: 'no_header', detail: 'no newline in the first 512 B' };
  let header: unknown;
  try {
    header = JSON.parse(payload.toString('utf8', 0, end));
  } catch (error) {
    return { ok: false, fault: 'bad_header', detail: (error as Error).message };
  }
  if (!headerCheck.Check(header)) {
    const first = headerCheck.Errors(header)[0];
    return { ok: false, fault: 'bad_header', detail: `${first?.instancePath ?? ''} ${first?.message ?? ''}` };
  }
  if (header.last < header.first) return { ok: false, fault: 'bad_header', detail: 'last < first' };
  const raw = payload.subarray(end + 1);
  if (header.encoding === 'identity') return { ok: true, header, body: raw };
  try {
    return {
      ok: true,
      header,
      body: gunzipSync(raw, { maxOutputLength: FRAME_UNPACKED_BYTES_MAX, chunkSize: unpackedBytes(raw) }),
    };
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return { ok: false, fault: tooLarge ? 'unpacked_too_large' : 'bad_encoding', detail: (error as Error).message };
  }
}
