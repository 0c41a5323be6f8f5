import type { Lane } from '#grid/wire/mod.ts';

/** A frame between its taking from the outbox and its ack. */
export interface Frame {
  readonly lane: Lane;
  readonly first: number;
  readonly last: number;
  /** Records in it. */
  readonly count: number;
  readonly payload: Buffer;
  /** Rows from before the connection came up. */
  backlog: boolean;
  /** Monotonic ms of the latest sending; null while it waits to be sent (again). */
  sentAt: number | null;
  /** Sendings over this connection. */
  attempts: number;
  /** Was ever sent before the latest sending. */
  repeated: boolean;
  /** Of the latest sending, while the client may still hold it for its PUBACK. */
  messageId: number | null;
}

/** From the fourth sending on, a frame says more about itself than about the path: it rules the window no longer, and comes last. */
export const ATTEMPTS_OF_PATH_MAX = 3;
/** 32 frames of at most 256 KiB: what a centre keeps of one edge (8 MiB). */
export const FLIGHT_FRAMES_MAX = 32;

/** Frames in memory: those on their way, and those that wait to be sent. Few, so that a look at all of them is cheap. */
export class Flight {
  readonly #frames = new Map<string, Frame>();
  readonly #sent: Record<Lane, number> = { events: 0, health: 0, readings: 0 };
  #bytes = 0;

  get size(): number {
    return this.#frames.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Those on their way. */
  sent(lane: Lane): number {
    return this.#sent[lane];
  }

  [Symbol.iterator](): IterableIterator<Frame> {
    return this.#frames.values();
  }

  /** A frame of exactly these rows. */
  find({ lane, first, last }: Pick<Frame, 'lane' | 'first' | 'last'>): Frame | undefined {
    const frame = this.#frames.get(keyOf(lane, first));
    return frame?.last === last ? frame : undefined;
  }

  add(frame: Frame): void {
    this.#frames.set(keyOf(frame.lane, frame.first), frame);
    this.#bytes += frame.payload.length;
  }

  remove(frame: Frame): void {
    this.hold(frame);
    if (this.#frames.delete(keyOf(frame.lane, frame.first))) this.#bytes -= frame.payload.length;
  }

  clear(): void {
    for (const frame of [...this]) this.remove(frame);
  }

  send(frame: Frame, now: number): void {
    if (frame.sentAt === null) this.#sent[frame.lane]++;
    frame.sentAt = now;
    frame.attempts++;
  }

  /** It waits to be sent again. */
  hold(frame: Frame): void {
    if (frame.sentAt === null) return;
    this.#sent[frame.lane]--;
    frame.sentAt = null;
    frame.repeated = true;
  }

  /** The one to send next: the oldest, but one that is never answered does not stop the others. */
  held(lane: Lane, backlog: boolean): Frame | undefined {
    let best: Frame | undefined;
    for (const frame of this) {
      if (frame.sentAt !== null || frame.lane !== lane || frame.backlog !== backlog) continue;
      if (!best || rank(frame) < rank(best) || (rank(frame) === rank(best) && frame.first < best.first)) best = frame;
    }
    return best;
  }

  /** An ack of the lane is late: a frame was sent before `before`, or had to be sent again. Only frames sent so often at most count. */
  isOverdue(lane: Lane, before: number, attemptsMax = Number.POSITIVE_INFINITY): boolean {
    for (const { lane: other, sentAt, attempts } of this) {
      if (other !== lane || attempts === 0 || attempts > attemptsMax) continue;
      if (attempts > 1 || sentAt === null || sentAt <= before) return true;
    }
    return false;
  }

  /** Backlog that waits in one of these lanes: the newest, which is missed least. */
  spare(lanes: readonly Lane[]): Frame | undefined {
    let best: Frame | undefined;
    for (const frame of this)
      if (frame.sentAt === null && frame.backlog && lanes.includes(frame.lane) && (!best || frame.first > best.first))
        best = frame;
    return best;
  }
}

const rank = ({ attempts }: Frame) => Math.max(attempts, ATTEMPTS_OF_PATH_MAX);
const keyOf = (lane: Lane, first: number) => `${lane}/${first}`;
