import { createHash } from 'node:crypto';
import type { FrameHeader, Lane } from '#grid/wire/mod.ts';
import type { ErrorCode } from '#service/mod.ts';
import type { DeadLetter } from '../ports.ts';

/** Bytes of a payload that are kept. */
const PAYLOAD_BYTES_MAX = 4096;
const REASON_CHARS_MAX = 512;

/** Where a record that cannot be used came from. */
export interface Origin {
  edge: string;
  lane: Lane;
  /** '' when the header could not be read. */
  epoch: string;
  /** The outbox sequence of the record, or of the frame; 0 when the header could not be read. */
  sequence: number;
}

export interface Fault {
  code: ErrorCode | string;
  reason: string;
}

/** hash(edge, epoch, lane, sequence, line): a replay has the same id, so that it does not multiply. */
export function deadLetterId({ edge, epoch, lane, sequence }: Origin, line: Buffer | string): string {
  const hash = createHash('sha256').update(`${edge} ${epoch} ${lane} ${sequence}\n`).update(line);
  return hash.digest('hex').slice(0, 32);
}

/** `ts` is UTC ms of the arrival; `hop` names what broke: the frame itself, or a record of the lane. */
export function deadLetter(
  origin: Origin,
  line: Buffer | string,
  { code, reason }: Fault,
  { ts, hop, source = '' }: { ts: number; hop: string; source?: string },
): DeadLetter {
  const bytes = typeof line === 'string' ? Buffer.from(line) : line;
  return {
    id: deadLetterId(origin, line),
    ts,
    edge: origin.edge,
    hop,
    source,
    code,
    reason: reason.slice(0, REASON_CHARS_MAX),
    payload: bytes.subarray(0, PAYLOAD_BYTES_MAX).toString('base64'),
  };
}

/** The origin of record `index` of a frame. */
export function originOf(header: FrameHeader, index: number): Origin {
  return { edge: header.edge, lane: header.lane, epoch: header.epoch, sequence: header.first + index };
}
