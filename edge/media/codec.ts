import { BOX_HEADER_BYTES, boxAt, boxesIn } from './boxes.ts';
import type { MediaInit } from './stream.ts';

/** The stream is neither H.264 nor H.265: nothing that a player or a clip could use. */
export class CodecError extends Error {
  constructor(found: string) {
    super(`${found} is neither H.264 nor H.265`);
    this.name = 'CodecError';
  }
}

/** Fixed part of a visual sample entry (ISO/IEC 14496-12, 12.1.3), its own header included. */
const SAMPLE_ENTRY_BYTES = 86;
const WIDTH_AT = 32;
const HEIGHT_AT = 34;
/** `stsd` has version, flags and a count before its entries. */
const ENTRIES_AT = BOX_HEADER_BYTES + 8;

/** What a `moov` says of its picture. Throws CodecError. */
export function describeMovie(moov: Buffer): Omit<MediaInit, 'bytes'> {
  const stsd = boxAt(moov, 'trak', 'mdia', 'minf', 'stbl', 'stsd');
  const entry = stsd === null ? undefined : boxesIn(stsd, ENTRIES_AT).next().value;
  if (entry === undefined || entry.bytes.length < SAMPLE_ENTRY_BYTES) throw new CodecError('nothing');
  const { type, bytes } = entry;
  const size = { widthPx: bytes.readUInt16BE(WIDTH_AT), heightPx: bytes.readUInt16BE(HEIGHT_AT) };
  for (const inner of boxesIn(bytes, SAMPLE_ENTRY_BYTES)) {
    const configuration = inner.bytes.subarray(BOX_HEADER_BYTES);
    if (inner.type === 'avcC') return { codec: avcCodec(type, configuration), ...size };
    if (inner.type === 'hvcC') return { codec: hevcCodec(type, configuration), ...size };
  }
  throw new CodecError(type);
}

/** Profile, constraints and level as they stand in the configuration [RFC 6381, 3.3; ISO/IEC 14496-15, 5.3.3.1]. */
function avcCodec(entry: string, avcC: Buffer): string {
  return `${entry}.${avcC.subarray(1, 4).toString('hex')}`;
}

/** [ISO/IEC 14496-15, annex E.3]: profile, compatibility flags in reverse, tier and level, constraints without trailing zeros. */
function hevcCodec(entry: string, hvcC: Buffer): string {
  const general = hvcC.readUInt8(1);
  const space = ['', 'A', 'B', 'C'][general >> 6] as string;
  let compatible = 0;
  for (let bit = 0; bit < 32; bit++) if ((hvcC.readUInt32BE(2) >>> bit) & 1) compatible |= 1 << (31 - bit);
  const tier = (general >> 5) & 1 ? 'H' : 'L';
  const constraints = [...hvcC.subarray(6, 12)];
  while (constraints.at(-1) === 0) constraints.pop();
  const parts = [`${space}${general & 0x1f}`, (compatible >>> 0).toString(16), `${tier}${hvcC.readUInt8(12)}`];
  return [entry, ...parts, ...constraints.map((byte) => byte.toString(16))].join('.');
}
