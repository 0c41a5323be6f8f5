import { readFileSync } from 'node:fs';

/**
 * SQLite's write-ahead log, read by ourselves. SQLite stops at the first frame whose checksum does not hold and
 * says nothing about what stood behind it; a torn tail and a flipped bit look the same to it.
 * Format: https://sqlite.org/fileformat2.html#the_write_ahead_log
 */
export const PAGE_BYTES = 4096;
const HEADER_BYTES = 32;
const FRAME_HEAD_BYTES = 24;
const FRAME_BYTES = FRAME_HEAD_BYTES + PAGE_BYTES;
const MAGIC = 0x377f0682;

/** Where in the log the newest version of each page stands. */
export type Overlay = ReadonlyMap<number, number>;

export interface Wal {
  bytes: Buffer;
  /** What SQLite sees: up to the last commit before the first damaged frame. */
  prefix: Overlay;
  /** Commits behind a damaged frame, which SQLite does not see. */
  commitsBeyond: number;
  /** The prefix and every sound frame beyond, up to the last commit. */
  all: Overlay;
}

/** Of the database at `file`; null where there is no log or an empty one. */
export function readWal(file: string): Wal | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(`${file}-wal`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return bytes.length < HEADER_BYTES + FRAME_BYTES ? null : parseWal(bytes);
}

export function parseWal(bytes: Buffer): Wal {
  const magic = bytes.readUInt32BE(0);
  // The lowest bit tells the byte order of the machine that made it.
  const known = (magic & ~1) >>> 0 === MAGIC;
  const words = wordReader(bytes, !known || (magic & 1) === 0);
  const header = sumOf(words, 0, 24, [0, 0]);
  const headerSound = known && header[0] === bytes.readUInt32BE(24) && header[1] === bytes.readUInt32BE(28);
  // Frames of earlier rounds lie behind. Those of this one carry the salt of the header; where that is damaged, the salt of the first sound frame.
  let salt = headerSound ? bytes.toString('latin1', 16, 24) : null;
  const [prefix, all] = [new Map<number, number>(), new Map<number, number>()];
  let [intact, commitsBeyond] = [headerSound, 0];
  let pending: [number, number][] = [];
  // Each checksum goes on from the one before; that one is taken as it stands, so that one damaged frame does not condemn the rest.
  let before: [number, number] = [bytes.readUInt32BE(24), bytes.readUInt32BE(28)];
  for (let at = HEADER_BYTES; at + FRAME_BYTES <= bytes.length; at += FRAME_BYTES) {
    const said: [number, number] = [bytes.readUInt32BE(at + 16), bytes.readUInt32BE(at + 20)];
    const sum = sumOf(words, at + FRAME_HEAD_BYTES, PAGE_BYTES, sumOf(words, at, 8, before));
    const own = bytes.toString('latin1', at + 8, at + 16);
    // Zeros have the right checksum too, but there is no page 0.
    const sound = sum[0] === said[0] && sum[1] === said[1] && bytes.readUInt32BE(at) !== 0;
    before = said;
    if (sound) salt ??= own;
    if (!sound || own !== salt) {
      intact = false;
      continue;
    }
    pending.push([bytes.readUInt32BE(at), at + FRAME_HEAD_BYTES]);
    if (bytes.readUInt32BE(at + 4) === 0) continue;
    for (const [page, offset] of pending) {
      all.set(page, offset);
      if (intact) prefix.set(page, offset);
    }
    pending = [];
    if (!intact) commitsBeyond++;
  }
  return { bytes, prefix, all, commitsBeyond };
}

type WordReader = (at: number) => number;

function wordReader(bytes: Buffer, littleEndian: boolean): WordReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (at) => view.getUint32(at, littleEndian);
}

function sumOf(word: WordReader, from: number, bytes: number, [a, b]: readonly [number, number]): [number, number] {
  let [s0, s1] = [a, b];
  for (let at = from; at < from + bytes; at += 8) {
    s0 = (s0 + word(at) + s1) >>> 0;
    s1 = (s1 + word(at + 4) + s0) >>> 0;
  }
  return [s0, s1];
}
