import { type FileHandle, open } from 'node:fs/promises';
import { type ConfigMistake, GewuError } from '#service/mod.ts';
import type { BaseMapConfig } from './config.ts';

/**
 * Offsets in the header of PMTiles version 3, all numbers little-endian
 * (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md).
 */
const HEADER_BYTES = 127;
const MAGIC = 'PMTiles';
const VERSION = 3;
const AT = { version: 7, sections: 8, internalCompression: 97, tileCompression: 98, tileType: 99 };
/** Root directory, metadata, leaf directories, tiles: of each its place and its length, 8 bytes each. */
const SECTIONS = 4;
/** Those that a browser can undo: none, gzip. */
const COMPRESSIONS = [1, 2];
/** Vector tiles (MVT), PNG, JPEG, WebP, AVIF. */
const TILE_TYPES = [1, 2, 3, 4, 5];

/** A tile or a directory of one is smaller. */
const RANGE_BYTES_MAX = 8 * 1024 * 1024;
const rangeExpression = /^bytes=([0-9]{1,15})-([0-9]{1,15})$/;

/** Part of a file, and what identifies the file while it stays the same. */
export interface FilePart {
  bytes: Buffer;
  from: number;
  fileBytes: number;
  etag: string;
}

/** Why a base map's file cannot be used; none where there is no such file to look at. */
export async function archiveMistakes({ pmtiles }: BaseMapConfig): Promise<ConfigMistake[]> {
  if (pmtiles === undefined) return [];
  const { file } = pmtiles;
  const fault = await withFile(file, faultOf).catch((error: NodeJS.ErrnoException) => `cannot be read (${error.code})`);
  return fault === null ? [] : [{ key: 'map.pmtiles.file', value: file, message: fault }];
}

async function faultOf(handle: FileHandle): Promise<string | null> {
  const stat = await handle.stat();
  if (!stat.isFile()) return 'is no file';
  const header = Buffer.alloc(HEADER_BYTES);
  const { bytesRead } = await handle.read(header, 0, HEADER_BYTES, 0);
  if (bytesRead < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC) return 'is no PMTiles file';
  const version = header.readUInt8(AT.version);
  if (version !== VERSION)
    return `is PMTiles version ${version}; version ${VERSION} is read: convert it with \`pmtiles convert\``;
  for (let at = AT.sections; at < AT.sections + SECTIONS * 16; at += 16)
    if (header.readBigUInt64LE(at) + header.readBigUInt64LE(at + 8) > stat.size)
      return 'is shorter than its header says: copy it anew';
  const [inside, tiles] = [header.readUInt8(AT.internalCompression), header.readUInt8(AT.tileCompression)];
  if (!COMPRESSIONS.includes(inside) || !COMPRESSIONS.includes(tiles)) return 'is compressed otherwise than by gzip';
  return TILE_TYPES.includes(header.readUInt8(AT.tileType))
    ? null
    : 'holds neither vector tiles (MVT) nor PNG, JPEG, WebP or AVIF';
}

/**
 * The bytes that a Range header asks for, of the file as it is now; null when they begin behind its end.
 * Throws GEWU_REQUEST_INVALID for any other form of range and for too much at once, GEWU_NOT_FOUND when the file is gone.
 */
export async function readRange(file: string, range: string | undefined): Promise<FilePart | { fileBytes: number; bytes: null }> {
  const [, from, to] = (rangeExpression.exec(range ?? '') ?? []).map(Number);
  if (from === undefined || to === undefined || to < from || to - from >= RANGE_BYTES_MAX)
    throw new GewuError('GEWU_REQUEST_INVALID', `range: \`bytes=N-M\` is what is served, ${RANGE_BYTES_MAX} bytes at most`);
  return withFile(file, async (handle) => {
    const { size: fileBytes, mtimeMs } = await handle.stat();
    if (from >= fileBytes) return { fileBytes, bytes: null };
    const bytes = Buffer.alloc(Math.min(to + 1, fileBytes) - from);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    const etag = `"${fileBytes.toString(16)}-${Math.round(mtimeMs).toString(16)}"`;
    return { bytes: bytes.subarray(0, bytesRead), from, fileBytes, etag };
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new GewuError('GEWU_NOT_FOUND', 'the file of the base map is gone', { cause: error });
  });
}

async function withFile<T>(file: string, act: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, 'r');
  try {
    return await act(handle);
  } finally {
    await handle.close();
  }
}
