import type { QueuedFrame } from './frame.ts';
import type { IntakeLimits } from './limits.ts';

/** Frames that wait, in order of arrival. Those taken count against the bounds until they are released. */
export class LaneQueue {
  readonly #limits: Pick<IntakeLimits, 'queueBytesMax' | 'queueFramesMax' | 'edgeBytesMax'>;
  readonly #keys = new Set<string>();
  readonly #edgeBytes = new Map<string, number>();
  /** Those that were taken leave a gap until it is closed: a frame is 256 KiB, and counts no more. */
  #waiting: (QueuedFrame | null)[] = [];
  #next = 0;
  /** Bytes that wait or are being stored. */
  bytes = 0;
  /** Of these, those that wait. */
  waitingBytes = 0;

  constructor(limits: Pick<IntakeLimits, 'queueBytesMax' | 'queueFramesMax' | 'edgeBytesMax'>) {
    this.#limits = limits;
  }

  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** `duplicate`: the same frame is here already, and its ack will serve both. */
  offer(frame: QueuedFrame): 'taken' | 'duplicate' | 'dropped' {
    const key = keyOf(frame);
    if (this.#keys.has(key)) return 'duplicate';
    const size = frame.payload.length;
    const ofEdge = this.#edgeBytes.get(frame.edge) ?? 0;
    const { queueBytesMax, queueFramesMax, edgeBytesMax } = this.#limits;
    if (this.bytes + size > queueBytesMax || ofEdge + size > edgeBytesMax || this.#keys.size >= queueFramesMax) return 'dropped';
    this.#keys.add(key);
    this.#edgeBytes.set(frame.edge, ofEdge + size);
    this.bytes += size;
    this.waitingBytes += size;
    this.#waiting.push(frame);
    return 'taken';
  }

  take(): QueuedFrame | undefined {
    const frame = this.#waiting[this.#next];
    if (!frame) return undefined;
    this.#waiting[this.#next++] = null;
    this.waitingBytes -= frame.payload.length;
    if (this.#next > 64 && this.#next * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return frame;
  }

  /** What was taken is done, one way or the other. */
  release(frame: QueuedFrame): void {
    if (!this.#keys.delete(keyOf(frame))) return;
    this.bytes -= frame.payload.length;
    const left = (this.#edgeBytes.get(frame.edge) ?? 0) - frame.payload.length;
    if (left > 0) this.#edgeBytes.set(frame.edge, left);
    else this.#edgeBytes.delete(frame.edge);
  }

  /** Forgets what waits. */
  clear(): void {
    for (let frame = this.take(); frame; frame = this.take()) this.release(frame);
  }
}

const keyOf = (frame: QueuedFrame) => `${frame.edge} ${frame.key}`;
