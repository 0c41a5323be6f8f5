import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Dice } from '../cameras/street/mod.ts';

/** How a link treats the bytes of one direction. */
export interface PipeRules {
  /** Added to each byte's way, ms; order is kept. */
  delayMs: number;
  /** Written in random pieces of at most so many bytes, each in a turn of the loop of its own; 0 leaves chunks whole. */
  sliceBytesMax: number;
}

/** Bytes that one direction holds back before it stops reading. */
const QUEUED_BYTES_MAX = 1024 * 1024;
/** Of one direction, cut in pieces in all: slicing shows framing mistakes, it must not eat a core. */
const SLICED_BYTES_MAX = 256 * 1024;

/** One direction of one connection: bytes go on in order, later or in pieces if the link says so, with back-pressure. */
export class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #rules: () => PipeRules;
  readonly #dice: Dice;
  #queue: { bytes: Buffer; dueAt: number }[] = [];
  #queuedBytes = 0;
  #slicedBytes = 0;
  #pumping = false;
  #ended = false;
  #swallowing = false;
  /** That never went on. */
  swallowedBytes = 0;

  constructor({ from, to, rules, dice }: { from: Socket; to: Socket; rules: () => PipeRules; dice: Dice }) {
    this.#from = from;
    this.#to = to;
    this.#rules = rules;
    this.#dice = dice;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.on('end', () => this.#end());
  }

  /** From now on nothing goes on, neither bytes nor the end: a stream with a hole in it cannot be mended. */
  swallow(): void {
    this.#swallowing = true;
    for (const { bytes } of this.#queue) this.swallowedBytes += bytes.length;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#from.resume();
  }

  #take(chunk: Buffer): void {
    if (this.#swallowing) {
      this.swallowedBytes += chunk.length;
      return;
    }
    this.#queue.push({ bytes: chunk, dueAt: performance.now() + this.#rules().delayMs });
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes > QUEUED_BYTES_MAX) this.#from.pause();
    void this.#pump();
  }

  #end(): void {
    this.#ended = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let item = this.#queue[0]; item && !this.#to.destroyed; item = this.#queue[0]) {
      const waitMs = item.dueAt - performance.now();
      // Unless it was swallowed meanwhile.
      if (waitMs > 0) await pause(waitMs);
      if (this.#queue[0] !== item) continue;
      this.#queue.shift();
      await this.#write(item.bytes);
      this.#queuedBytes = Math.max(0, this.#queuedBytes - item.bytes.length);
      if (this.#from.isPaused() && this.#queuedBytes <= QUEUED_BYTES_MAX / 2) this.#from.resume();
    }
    this.#pumping = false;
    if (this.#ended && !this.#swallowing && this.#queue.length === 0) this.#to.end();
  }

  async #write(bytes: Buffer): Promise<void> {
    const { sliceBytesMax } = this.#rules();
    if (sliceBytesMax === 0 || this.#slicedBytes > SLICED_BYTES_MAX) return this.#put(bytes);
    this.#slicedBytes += bytes.length;
    for (let at = 0; at < bytes.length && !this.#swallowing; ) {
      const end = at + this.#dice.whole(1, sliceBytesMax);
      await this.#put(bytes.subarray(at, end));
      await nextTurn();
      at = end;
    }
  }

  async #put(bytes: Buffer): Promise<void> {
    if (this.#to.destroyed || this.#to.write(bytes)) return;
    await Promise.race([once(this.#to, 'drain'), once(this.#to, 'close')]).catch(() => undefined);
  }
}
