import { type Ack, checkAck, decodeFrame, type FrameHeader, type Lane } from '#grid/wire/mod.ts';
import type { DeadLetter } from '../ports.ts';
import { deadLetter } from './dead_letter.ts';

/** A message as it came in on a topic that was understood. */
export interface QueuedFrame {
  edge: string;
  lane: Lane;
  payload: Buffer;
  /** The header line: a repeat of a frame that still waits has the same. */
  key: string;
  /** Monotonic ms. */
  arrivedAt: number;
}

export type OpenedFrame =
  | { ok: true; header: FrameHeader; ack: Ack; body: Buffer }
  /** `ack` is null when the header cannot be read: nobody knows what to acknowledge. */
  | { ok: false; ack: Ack | null; letter: DeadLetter };

const HEADER_BYTES_MAX = 512;
const NEWLINE = 0x0a;

/** The bytes up to the first newline, within the longest header there is. */
export function headerLine(payload: Buffer): string {
  const head = payload.subarray(0, HEADER_BYTES_MAX);
  const end = head.indexOf(NEWLINE);
  return head.toString('latin1', 0, end < 0 ? head.length : end);
}

/** Unpacks and checks that header and topic tell the same. Never throws. `now` is UTC ms. */
export function openFrame(frame: QueuedFrame, now: number): OpenedFrame {
  const decoded = decodeFrame(frame.payload);
  if (!decoded.ok) return bad(frame, now, `${decoded.fault}: ${decoded.detail}`);
  const { header, body } = decoded;
  if (header.edge !== frame.edge) return bad(frame, now, `the header says edge ${header.edge}`);
  if (header.lane !== frame.lane) return bad(frame, now, `the header says lane ${header.lane}`);
  const { epoch, lane, first, last } = header;
  return { ok: true, header, body, ack: { epoch, lane, first, last } };
}

/** One dead letter for the frame; with an ack where it can be named, so that it does not come for ever. */
function bad(frame: QueuedFrame, ts: number, reason: string): OpenedFrame {
  const ack = readableAck(frame);
  const origin = { edge: frame.edge, lane: frame.lane, epoch: ack?.epoch ?? '', sequence: ack?.first ?? 0 };
  const letter = deadLetter(origin, frame.payload, { code: 'GEWU_FRAME_INVALID', reason }, { ts, hop: 'frame' });
  return { ok: false, ack, letter };
}

/** What to acknowledge, if version, edge and lane are ours. Another version is not ours to throw away: it waits at the edge. */
function readableAck(frame: QueuedFrame): Ack | null {
  try {
    const { v, edge, epoch, lane, first, last } = JSON.parse(headerLine(frame.payload)) as Record<string, unknown>;
    const ack = { epoch, lane, first, last };
    return v === 1 && edge === frame.edge && lane === frame.lane && checkAck.Check(ack) ? ack : null;
  } catch {
    return null;
  }
}
