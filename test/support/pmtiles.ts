import { zxyToTileId } from 'pmtiles';

/** Writes PMTiles version 3 by the specification: everything in the root directory, nothing compressed. */

export interface ArchiveTile {
  z: number;
  x: number;
  y: number;
  bytes: Uint8Array;
}
const HEADER_BYTES = 127;
const TYPES = { mvt: 1, png: 2 } as const;
const UNCOMPRESSED = 1;

export function pmtilesOf(tiles: readonly ArchiveTile[], type: keyof typeof TYPES): Buffer {
  const sorted = tiles.map((t) => ({ ...t, id: zxyToTileId(t.z, t.x, t.y) })).sort((a, b) => a.id - b.id);
  const data = Buffer.concat(sorted.map((t) => t.bytes));
  const directory = directoryOf(sorted.map(({ id, bytes }) => ({ id, length: bytes.length })));
  const metadata = Buffer.from('{}');
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('PMTiles', 'latin1');
  header.writeUInt8(3, 7);
  const metadataAt = HEADER_BYTES + directory.length;
  const dataAt = metadataAt + metadata.length;
  const sections = [HEADER_BYTES, directory.length, metadataAt, metadata.length, dataAt, 0, dataAt, data.length];
  const counts = [tiles.length, tiles.length, tiles.length];
  for (const [i, n] of [...sections, ...counts].entries()) header.writeBigUInt64LE(BigInt(n), 8 + 8 * i);
  const zooms = tiles.map((t) => t.z);
  const bytes = [1, UNCOMPRESSED, UNCOMPRESSED, TYPES[type], Math.min(...zooms), Math.max(...zooms)];
  for (const [i, n] of bytes.entries()) header.writeUInt8(n, 96 + i);
  for (const [i, degrees] of [-180, -85, 180, 85].entries()) header.writeInt32LE(degrees * 1e7, 102 + 4 * i);
  return Buffer.concat([header, directory, metadata, data]);
}

/** Ids as differences, runs of one, lengths, places: 0 is "right behind the one before". */
function directoryOf(entries: readonly { id: number; length: number }[]): Buffer {
  const ids = entries.map(({ id }, i) => id - (entries[i - 1]?.id ?? 0));
  return Buffer.from([
    ...varint(entries.length),
    ...ids.flatMap(varint),
    ...entries.flatMap(() => varint(1)),
    ...entries.flatMap(({ length }) => varint(length)),
    ...entries.flatMap((_, i) => varint(i === 0 ? 1 : 0)),
  ]);
}

/** A vector tile with one polygon in one layer; corners in 4096ths of the tile, clockwise on the screen. */
export function mvtOf(layer: string, corners: readonly (readonly [number, number])[]): Buffer {
  const steps = corners.map(([x, y], i) => [x - (corners[i - 1]?.[0] ?? 0), y - (corners[i - 1]?.[1] ?? 0)] as const);
  const [first = [0, 0], ...rest] = steps;
  // MoveTo 1, LineTo n - 1, ClosePath.
  const geometry = [(1 << 3) | 1, ...first.map(zigzag), (rest.length << 3) | 2, ...rest.flat().map(zigzag), (1 << 3) | 7];
  const feature = [...field(3, 0), 3, ...bytesField(4, geometry.flatMap(varint))];
  const whole = [
    ...bytesField(1, [...Buffer.from(layer)]),
    ...bytesField(2, feature),
    ...[...field(5, 0), ...varint(4096)],
    ...[...field(15, 0), 2],
  ];
  return Buffer.from(bytesField(3, whole));
}

const zigzag = (n: number) => (n < 0 ? -2 * n - 1 : 2 * n);
const field = (number: number, wire: 0 | 2) => varint((number << 3) | wire);
const bytesField = (number: number, bytes: readonly number[]) => [...field(number, 2), ...varint(bytes.length), ...bytes];

function varint(n: number): number[] {
  const bytes: number[] = [];
  for (let rest = n; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}
