import type { EventRecord } from '#grid/mod.ts';
import type { Acknowledged } from './carrier.ts';

const BYTES_MIN = 4 * 1024;

/**
 * Lines that will be a frame, as the bytes that travel, and of readings the samples that they are, in columns: an object for
 * each reading would live as long as its frame is under way, and the collector would have to look at it again and again.
 */
export class Batch {
  readonly #devices: number[] = [];
  readonly #seqs: number[] = [];
  readonly #dueMs: number[] = [];
  /** Of events, which are few. */
  readonly events: EventRecord[] = [];
  #bytes = Buffer.allocUnsafe(BYTES_MIN);
  #length = 0;
  #lines = 0;

  /** Lines, and of them samples. */
  get lines(): number {
    return this.#lines;
  }

  get samples(): number {
    return this.#seqs.length;
  }

  /** `line` has no newline at its end. */
  add(line: string): void {
    // Three bytes a character at most, and the newline.
    const most = this.#length + 3 * line.length + 1;
    if (most > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(most, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#length += this.#bytes.write(line, this.#length);
    this.#bytes[this.#length++] = NEWLINE;
    this.#lines++;
  }

  addEvent(event: EventRecord): void {
    this.add(JSON.stringify(event));
    this.events.push(event);
  }

  addSample(line: string, { device, seq, dueMs }: Acknowledged): void {
    this.add(line);
    this.#devices.push(device);
    this.#seqs.push(seq);
    this.#dueMs.push(dueMs);
  }

  /** Without the last newline. */
  get body(): Buffer {
    return this.#bytes.subarray(0, Math.max(0, this.#length - 1));
  }

  /** The same object each time, with the next sample in it. */
  forEachSample(take: (sample: Acknowledged) => void): void {
    const sample = { device: 0, seq: 0, dueMs: 0 };
    for (let i = 0; i < this.#seqs.length; i++) {
      sample.device = this.#devices[i] as number;
      sample.seq = this.#seqs[i] as number;
      sample.dueMs = this.#dueMs[i] as number;
      take(sample);
    }
  }
}

const NEWLINE = 0x0a;
