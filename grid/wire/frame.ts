import { gunzipSync, gzipSync } from 'node:zlib';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Id } from '../ids.ts';

/**
 * A frame: one JSON header line, `\n`, the body. Readings travel as line protocol (ms), events and health as NDJSON.
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
  const packed = body.length >= GZIP_FROM_BYTES ? gzipSync(body, { level: 1 }) : body;
  const gzip = packed !== body && packed.length < body.length;
  const head: FrameHeader = { v: 1, ...header, encoding: gzip ? 'gzip' : 'identity' };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), gzip ? packed : body]);
}

const HEADER_BYTES_MAX = 512;
/** Most bodies come out in one piece: half the time of the default of 16 KiB. */
const UNPACK_CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

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
      body: gunzipSync(raw, { maxOutputLength: FRAME_UNPACKED_BYTES_MAX, chunkSize: UNPACK_CHUNK_BYTES }),
    };
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return { ok: false, fault: tooLarge ? 'unpacked_too_large' : 'bad_encoding', detail: (error as Error).message };
  }
}
