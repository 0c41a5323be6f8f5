/** One box of an MP4 (ISO/IEC 14496-12, 4.2): its content is `bytes` from 8 on. */
export interface Mp4Box {
  type: string;
  bytes: Buffer;
}

export const BOX_HEADER_BYTES = 8;
/** A quarter of a second of the fattest stream is far below. */
const BOX_BYTES_MAX = 16 * 1024 * 1024;

/** Cuts a byte stream into its outermost boxes, each in memory of its own. Throws when the stream is no MP4. */
export class BoxReader {
  readonly #header = Buffer.alloc(BOX_HEADER_BYTES);
  #headerFilled = 0;
  #box: Buffer | null = null;
  #filled = 0;

  push(chunk: Buffer, onBox: (box: Mp4Box) => void): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#box === null) {
        const count = chunk.copy(this.#header, this.#headerFilled, at);
        at += count;
        this.#headerFilled += count;
        if (this.#headerFilled < BOX_HEADER_BYTES) return;
        this.#begin();
      }
      const box = this.#box as unknown as Buffer;
      const count = chunk.copy(box, this.#filled, at);
      at += count;
      this.#filled += count;
      if (this.#filled < box.length) return;
      this.#box = null;
      this.#headerFilled = 0;
      onBox({ type: typeOf(box, 0), bytes: box });
    }
  }

  #begin(): void {
    const bytes = this.#header.readUInt32BE(0);
    if (bytes < BOX_HEADER_BYTES || bytes > BOX_BYTES_MAX) throw new Error(`MP4 box of ${bytes} bytes`);
    this.#box = Buffer.allocUnsafeSlow(bytes);
    this.#filled = this.#header.copy(this.#box);
  }
}

/** The boxes in `bytes` from `from` on. What does not fit its own length ends the list. */
export function* boxesIn(bytes: Buffer, from = BOX_HEADER_BYTES): Generator<Mp4Box> {
  for (let at = from; at + BOX_HEADER_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (length < BOX_HEADER_BYTES || at + length > bytes.length) return;
    yield { type: typeOf(bytes, at), bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

/** The first box at the end of a path: `boxAt(moov, 'trak', 'mdia')`. */
export function boxAt(box: Buffer, ...path: readonly string[]): Buffer | null {
  const [type, ...rest] = path;
  if (type === undefined) return box;
  for (const inner of boxesIn(box)) if (inner.type === type) return boxAt(inner.bytes, ...rest);
  return null;
}

function typeOf(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at + 4, at + BOX_HEADER_BYTES);
}
