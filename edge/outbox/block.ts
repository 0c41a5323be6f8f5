import { crc32 } from 'node:zlib';
import type { Lane } from '#grid/wire/mod.ts';
import { Damaged } from './errors.ts';

/**
 * What one row of the outbox's file holds: records of one commit, in order, under consecutive sequence numbers.
 * A row per record would cost three times the CPU; the checksum is still each record's own.
 *
 *   (bytes of the line u32, checksum u32) of each record, then the lines, each with its newline; little endian
 *
 * A checksum starts from lane, time and sequence number, so that a record that stands in a wrong place does not pass either.
 */
export interface BlockRow {
  first: number;
  last: number;
  /** Of the outbox's own clock: ms that the node has run. */
  ts: number;
  block: Uint8Array;
}

export const BLOCK_RECORDS_MAX = 512;
/** A record that is larger than this by itself has a block of its own. */
const BLOCK_BYTES_MAX = 64 * 1024;
const HEAD_BYTES = 8;
const NEWLINE = 0x0a;

/** Bytes that a record takes, by which the quota counts. */
export const bytesOf = (line: Uint8Array): number => HEAD_BYTES + line.length + 1;

/** Records as blocks that are not sealed yet. Each block has memory of its own, to be handed over to another thread. */
export function packBlocks(lines: readonly Uint8Array[]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let from = 0; from < lines.length; ) {
    let bytes = bytesOf(lines[from] as Uint8Array);
    let to = from + 1;
    for (; to < lines.length && to - from < BLOCK_RECORDS_MAX; to++) {
      const more = bytesOf(lines[to] as Uint8Array);
      if (bytes + more > BLOCK_BYTES_MAX) break;
      bytes += more;
    }
    blocks.push(pack(lines, from, to, bytes));
    from = to;
  }
  return blocks;
}

function pack(lines: readonly Uint8Array[], from: number, to: number, bytes: number): Uint8Array {
  const block = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
  const view = new DataView(block.buffer);
  let at = (to - from) * HEAD_BYTES;
  for (let i = from; i < to; i++) {
    const line = lines[i] as Uint8Array;
    view.setUint32((i - from) * HEAD_BYTES, line.length + 1, true);
    block.set(line, at);
    at += line.length;
    block[at++] = NEWLINE;
  }
  return block;
}

/** Number of records of a block that `packBlocks` made. */
export function countOf(block: Uint8Array): number {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let [count, bytes] = [0, 0];
  while (bytes < block.length) bytes += HEAD_BYTES + view.getUint32(HEAD_BYTES * count++, true);
  return count;
}

const seedOf = (lane: Lane, ts: number) => crc32(`${lane}/${ts}`);

/** Writes the checksums. */
export function seal(lane: Lane, { first, last, ts, block }: BlockRow): void {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const seed = seedOf(lane, ts);
  let at = (last - first + 1) * HEAD_BYTES;
  for (let i = 0; i <= last - first; i++) {
    const end = at + view.getUint32(i * HEAD_BYTES, true);
    view.setUint32(i * HEAD_BYTES + 4, crc32(bytes.subarray(at, end), (seed + first + i) >>> 0), true);
    at = end;
  }
}

/** A block as it came from the file: nothing about it is believed before `isSound`. */
export class OpenBlock {
  readonly lane: Lane;
  readonly row: BlockRow;
  readonly #bytes: Buffer;
  readonly #seed: number;
  /** Where lines end; null when the lengths do not add up. */
  readonly #ends: Uint32Array | null;

  /** Throws Damaged when it cannot be one. */
  constructor(lane: Lane, row: BlockRow) {
    checkSpan(row);
    if (!(row.block instanceof Uint8Array)) throw new Damaged(`block ${row.first} is none`);
    this.row = row;
    this.lane = lane;
    this.#bytes = Buffer.from(row.block.buffer, row.block.byteOffset, row.block.byteLength);
    this.#seed = seedOf(lane, row.ts);
    this.#ends = endsOf(row, this.#bytes);
  }

  /** `seq` is one of first ... last. */
  isSound(seq: number): boolean {
    if (this.#ends === null) return false;
    const crc = this.#bytes.readUInt32LE((seq - this.row.first) * HEAD_BYTES + 4);
    return crc32(this.line(seq), (this.#seed + seq) >>> 0) === crc;
  }

  /** With its newline. */
  line(seq: number): Buffer {
    return this.lines(seq, seq);
  }

  /** Lines of consecutive records, as they stand. */
  lines(from: number, to: number): Buffer {
    return this.#bytes.subarray(this.#start(from), this.#end(to));
  }

  /** Those of these records that are sound, as rows of their own; their checksums are the ones that were there. */
  sound(from = this.row.first, to = this.row.last): BlockRow[] {
    const rows: BlockRow[] = [];
    for (let seq = from; seq <= to; seq++) {
      if (!this.isSound(seq)) continue;
      const first = seq;
      while (seq < to && this.isSound(seq + 1)) seq++;
      rows.push(this.#slice(first, seq));
    }
    return rows;
  }

  #slice(first: number, last: number): BlockRow {
    if (first === this.row.first && last === this.row.last) return this.row;
    const head = (seq: number) => (seq - this.row.first) * HEAD_BYTES;
    const block = Buffer.concat([this.#bytes.subarray(head(first), head(last + 1)), this.lines(first, last)]);
    return { first, last, ts: this.row.ts, block };
  }

  #start(seq: number): number {
    return seq === this.row.first ? (this.row.last - this.row.first + 1) * HEAD_BYTES : this.#end(seq - 1);
  }

  #end(seq: number): number {
    return this.#ends?.[seq - this.row.first] ?? 0;
  }
}

/** Throws Damaged when no block can hold so many records. */
export function checkSpan({ first, last }: { first: number; last: number }): void {
  if (!(last >= first && last - first < BLOCK_RECORDS_MAX)) throw new Damaged(`block ${first} ends with ${last}`);
}

function endsOf({ first, last }: BlockRow, bytes: Buffer): Uint32Array | null {
  const count = last - first + 1;
  if (bytes.length < count * HEAD_BYTES) return null;
  const ends = new Uint32Array(count);
  let at = count * HEAD_BYTES;
  for (let i = 0; i < count; i++) {
    at += bytes.readUInt32LE(i * HEAD_BYTES);
    if (at > bytes.length) return null;
    ends[i] = at;
  }
  return at === bytes.length ? ends : null;
}
