import { FullPicture, yuvBytes } from './full_picture.ts';

/** Buffers of one camera that are used over and over; what does not come back is made anew. */
export class BufferPool<B extends { byteLength: number }> {
  readonly #make: (bytes: number) => B;
  readonly #spareMax: number;
  #spare: B[] = [];

  constructor(make: (bytes: number) => B, spareMax: number) {
    this.#make = make;
    this.#spareMax = spareMax;
  }

  take(bytes: number): B {
    const found = this.#spare.findIndex((b) => b.byteLength === bytes);
    return found < 0 ? this.#make(bytes) : (this.#spare.splice(found, 1)[0] as B);
  }

  /** A detached buffer (its worker died with it) has no bytes and is let go. */
  give(buffer: B): void {
    if (buffer.byteLength === 0) return;
    this.#spare.push(buffer);
    if (this.#spare.length > this.#spareMax) this.#spare.shift();
  }
}

/** Cuts a byte stream into buffers of one size. */
export class RawReader {
  readonly #bytes: number;
  readonly #take: () => ArrayBuffer;
  #buffer: ArrayBuffer | null = null;
  #filled = 0;

  constructor(bytes: number, take: () => ArrayBuffer) {
    this.#bytes = bytes;
    this.#take = take;
  }

  push(chunk: Buffer, onFrame: (frame: ArrayBuffer) => void): void {
    for (let at = 0; at < chunk.length; ) {
      this.#buffer ??= this.#take();
      const count = Math.min(chunk.length - at, this.#bytes - this.#filled);
      new Uint8Array(this.#buffer).set(chunk.subarray(at, at + count), this.#filled);
      at += count;
      this.#filled += count;
      if (this.#filled < this.#bytes) continue;
      const frame = this.#buffer;
      this.#buffer = null;
      this.#filled = 0;
      onFrame(frame);
    }
  }
}

const HEADER_BYTES_MAX = 64;
const SIDE_PX_MAX = 8192;
const headerExpression = /^P5\s(\d{1,5})\s(\d{1,5})\s255\s/;

/**
 * Cuts a stream of PGMYUV pictures: ffmpeg's netpbm P5 that holds a picture's colours below its brightness, so half as high again as
 * the picture. Throws when the stream is none.
 */
export class YuvReader {
  readonly #take: (bytes: number) => Buffer;
  #head = Buffer.alloc(0);
  #picture: FullPicture | null = null;
  #filled = 0;

  constructor(take: (bytes: number) => Buffer) {
    this.#take = take;
  }

  push(chunk: Buffer, onPicture: (picture: FullPicture) => void): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#picture === null) {
        rest = this.#header(rest);
        continue;
      }
      const { yuv } = this.#picture;
      const count = Math.min(rest.length, yuv.length - this.#filled);
      rest.copy(yuv, this.#filled, 0, count);
      this.#filled += count;
      rest = rest.subarray(count);
      if (this.#filled < yuv.length) continue;
      const picture = this.#picture;
      this.#picture = null;
      onPicture(picture);
    }
  }

  /** Reads a header; returns what follows it, nothing while it is not complete. */
  #header(chunk: Buffer): Buffer {
    const text = Buffer.concat([this.#head, chunk.subarray(0, HEADER_BYTES_MAX)]);
    const match = headerExpression.exec(text.toString('latin1', 0, HEADER_BYTES_MAX));
    if (match === null) {
      if (text.length >= HEADER_BYTES_MAX) throw new Error('not a PGMYUV stream');
      this.#head = text;
      return Buffer.alloc(0);
    }
    const [widthPx, heightPx] = [Number(match[1]), (Number(match[2]) * 2) / 3];
    const isSide = (px: number): boolean => px >= 2 && px <= SIDE_PX_MAX && px % 2 === 0;
    if (!isSide(widthPx) || !isSide(heightPx)) throw new Error(`picture of ${widthPx} x ${heightPx}`);
    this.#picture = new FullPicture(widthPx, heightPx, this.#take(yuvBytes(widthPx, heightPx)));
    this.#filled = 0;
    const used = match[0].length - this.#head.length;
    this.#head = Buffer.alloc(0);
    return chunk.subarray(used);
  }
}
