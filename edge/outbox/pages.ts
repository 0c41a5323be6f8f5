import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Overlay, PAGE_BYTES } from './wal.ts';

/**
 * Rows of a SQLite file read from its leaf pages alone. A tree whose root is damaged still has all of its leaves;
 * what they hold is believed by its checksum, not by where it hangs.
 * Format: https://sqlite.org/fileformat2.html
 */
export type Column = number | string | Uint8Array | null;
export interface RawRow {
  rowid: number;
  columns: Column[];
}

const LEAF = 0x0d;
const FIRST_PAGE_HEADER_BYTES = 100;
const LOCAL_BYTES_MAX = PAGE_BYTES - 35;
const LOCAL_BYTES_MIN = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23;
const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
const READ_AHEAD_PAGES = 256;
const READ_AHEADS = 8;

/** The pages of a file as they were at one point of its log. */
export class PageReader {
  readonly #fd: number | null;
  readonly #filePages: number;
  readonly #log: { bytes: Buffer; overlay: Overlay };
  readonly #chunks = new Map<number, Buffer>();
  readonly pages: number;

  constructor(file: string, log: { bytes: Buffer; overlay: Overlay }) {
    this.#fd = openIfThere(file);
    this.#filePages = this.#fd === null ? 0 : Math.ceil(fstatSync(this.#fd).size / PAGE_BYTES);
    this.#log = log;
    let pages = this.#filePages;
    for (const page of log.overlay.keys()) pages = Math.max(pages, page);
    this.pages = pages;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }

  /** `number` counts from 1; zeros where nothing can be read. */
  page(number: number): Buffer {
    const logged = this.#log.overlay.get(number);
    if (logged !== undefined) return this.#log.bytes.subarray(logged, logged + PAGE_BYTES);
    const chunk = this.#chunk(Math.floor((number - 1) / READ_AHEAD_PAGES));
    const at = ((number - 1) % READ_AHEAD_PAGES) * PAGE_BYTES;
    return chunk.subarray(at, at + PAGE_BYTES);
  }

  #chunk(index: number): Buffer {
    const known = this.#chunks.get(index);
    if (known) return known;
    const chunk = Buffer.alloc(READ_AHEAD_PAGES * PAGE_BYTES);
    const from = index * chunk.length;
    // One bad sector does not take the rest with it.
    if (!this.#read(chunk, from))
      for (let at = 0; at < chunk.length; at += PAGE_BYTES) {
        const page = chunk.subarray(at, at + PAGE_BYTES);
        if (!this.#read(page, from + at)) page.fill(0);
      }
    this.#chunks.set(index, chunk);
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size <= READ_AHEADS) break;
      this.#chunks.delete(oldest);
    }
    return chunk;
  }

  #read(into: Buffer, position: number): boolean {
    if (this.#fd === null) return true;
    try {
      for (let at = 0; at < into.length; ) {
        const got = readSync(this.#fd, into, at, into.length - at, position + at);
        if (got === 0) break;
        at += got;
      }
      return true;
    } catch {
      return false;
    }
  }
}

/** Every row of every table leaf that is not on the list of free pages. What cannot be one is passed over. */
export function* rawRows(reader: PageReader): Generator<RawRow> {
  const free = freePages(reader);
  for (let number = 1; number <= reader.pages; number++) {
    if (free.has(number)) continue;
    const page = reader.page(number);
    const head = number === 1 ? FIRST_PAGE_HEADER_BYTES : 0;
    if (page[head] !== LEAF) continue;
    const cells = Math.min(page.readUInt16BE(head + 3), (PAGE_BYTES - head - 8) >> 1);
    for (let i = 0; i < cells; i++) {
      const row = readCell(reader, page, page.readUInt16BE(head + 8 + 2 * i));
      if (row !== null) yield row;
    }
  }
}

function readCell(reader: PageReader, page: Buffer, at: number): RawRow | null {
  const [bytes, afterBytes] = varint(page, at);
  const [rowid, start] = varint(page, afterBytes);
  if (bytes === 0 || bytes > PAYLOAD_BYTES_MAX || start >= PAGE_BYTES) return null;
  const payload = readPayload(reader, page, start, bytes);
  const columns = payload && decodeRecord(payload);
  return columns && { rowid, columns };
}

function readPayload(reader: PageReader, page: Buffer, start: number, bytes: number): Buffer | null {
  const surplus = LOCAL_BYTES_MIN + ((bytes - LOCAL_BYTES_MIN) % (PAGE_BYTES - 4));
  const local = bytes <= LOCAL_BYTES_MAX ? bytes : surplus <= LOCAL_BYTES_MAX ? surplus : LOCAL_BYTES_MIN;
  if (local === bytes) return start + bytes <= PAGE_BYTES ? page.subarray(start, start + bytes) : null;
  if (start + local + 4 > PAGE_BYTES) return null;
  const payload = Buffer.alloc(bytes);
  page.copy(payload, 0, start, start + local);
  let [at, next] = [local, page.readUInt32BE(start + local)];
  while (at < bytes) {
    if (next === 0 || next > reader.pages) return null;
    const overflow = reader.page(next);
    at += overflow.copy(payload, at, 4, Math.min(PAGE_BYTES, 4 + bytes - at));
    next = overflow.readUInt32BE(0);
  }
  return payload;
}

function decodeRecord(payload: Buffer): Column[] | null {
  const [headBytes, afterHead] = varint(payload, 0);
  if (headBytes > payload.length) return null;
  const columns: Column[] = [];
  let [at, body] = [afterHead, headBytes];
  while (at < headBytes) {
    const [type, next] = varint(payload, at);
    at = next;
    const bytes = type >= 12 ? (type - (type % 2 === 0 ? 12 : 13)) / 2 : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? -1);
    if (bytes < 0 || body + bytes > payload.length) return null;
    columns.push(decodeColumn(payload, type, body, bytes));
    body += bytes;
  }
  return body === payload.length ? columns : null;
}

function decodeColumn(payload: Buffer, type: number, at: number, bytes: number): Column {
  if (type === 0) return null;
  if (type <= 4) return payload.readIntBE(at, bytes);
  if (type === 5) return payload.readIntBE(at, 6);
  if (type === 6) return Number(payload.readBigInt64BE(at));
  if (type === 7) return payload.readDoubleBE(at);
  if (type === 8 || type === 9) return type - 8;
  const slice = payload.subarray(at, at + bytes);
  return type % 2 === 0 ? slice : slice.toString();
}

/** Value and the offset behind it; past the end it reads zeros, which no caller takes for a row. */
function varint(bytes: Buffer, at: number): [number, number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + i + 1];
  }
  return [value * 256 + (bytes[at + 8] ?? 0), at + 9];
}

/** Pages whose rows were deleted; empty when the list itself is damaged: then some rows come again, and are sent again. */
function freePages(reader: PageReader): ReadonlySet<number> {
  const free = new Set<number>();
  if (reader.pages === 0) return free;
  const [first, count] = [reader.page(1).readUInt32BE(32), reader.page(1).readUInt32BE(36)];
  for (let trunk = first; trunk !== 0; ) {
    const page = trunk <= reader.pages && !free.has(trunk) ? reader.page(trunk) : null;
    const leaves = page?.readUInt32BE(4) ?? Number.POSITIVE_INFINITY;
    if (page === null || leaves > PAGE_BYTES / 4 - 2) return new Set();
    free.add(trunk);
    for (let i = 0; i < leaves; i++) free.add(page.readUInt32BE(8 + 4 * i));
    trunk = page.readUInt32BE(0);
  }
  return free.size === count ? free : new Set();
}

function openIfThere(file: string): number | null {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
