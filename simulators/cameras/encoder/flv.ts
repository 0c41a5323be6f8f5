import type { AccessUnit } from '../rtsp/mod.ts';

/**
 * Coded pictures out of an FLV stream with one H.264 track.
 *
 * Why FLV between ffmpeg and us, and not annex B: every tag says its length, so that a picture is complete the moment
 * its last byte is here. In annex B only the next picture's start code tells, a whole frame time later.
 *
 *   header(9) previousTagSize(4) { tag: type(1) size(3) time(4) stream(3) data(size) previousTagSize(4) } ...
 *   video data: kind|codec(1) packet(1) compositionTime(3) then the decoder configuration, or NAL units with lengths
 */
const FILE_HEADER_BYTES = 13;
const TAG_HEADER_BYTES = 11;
const TAG_TAIL_BYTES = 4;
const VIDEO_HEADER_BYTES = 5;
const TAG_BYTES_MAX = 4 * 1024 * 1024;

const VIDEO_TAG = 9;
const KEY_AVC = 0x17;
const INTER_AVC = 0x27;
const CONFIGURATION = 0;
const NAL_UNITS = 1;

const NAL_SLICE = 1;
const NAL_IDR = 5;

export type CodedPicture = Pick<AccessUnit, 'nals' | 'key'>;

export class FlvReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed = FILE_HEADER_BYTES;
  #started = false;
  #parameterSets: Buffer[] = [];

  /** Pictures that are complete after `chunk`. Throws when the stream is not such an FLV. */
  push(chunk: Buffer): CodedPicture[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const pictures: CodedPicture[] = [];
    while (this.#bytes >= this.#needed) {
      const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
      const used = this.#take(all, pictures);
      const rest = all.subarray(used);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#bytes = rest.length;
    }
    return pictures;
  }

  /** Bytes used from `all`; sets how many must be there before the next call. */
  #take(all: Buffer, pictures: CodedPicture[]): number {
    if (!this.#started) {
      if (all.toString('latin1', 0, 3) !== 'FLV') throw new Error('not an FLV stream');
      this.#started = true;
      this.#needed = TAG_HEADER_BYTES;
      return FILE_HEADER_BYTES;
    }
    const size = all.readUIntBE(1, 3);
    if (size > TAG_BYTES_MAX) throw new Error(`FLV tag of ${size} B`);
    const whole = TAG_HEADER_BYTES + size + TAG_TAIL_BYTES;
    if (all.length < whole) {
      this.#needed = whole;
      return 0;
    }
    this.#needed = TAG_HEADER_BYTES;
    if (all[0] === VIDEO_TAG && size > VIDEO_HEADER_BYTES) {
      const picture = this.#video(all.subarray(TAG_HEADER_BYTES, TAG_HEADER_BYTES + size));
      if (picture !== null) pictures.push(picture);
    }
    return whole;
  }

  #video(data: Buffer): CodedPicture | null {
    if (data[0] !== KEY_AVC && data[0] !== INTER_AVC) throw new Error(`FLV video of kind ${data[0]}`);
    const body = data.subarray(VIDEO_HEADER_BYTES);
    if (data[1] === CONFIGURATION) {
      this.#parameterSets = parameterSets(body);
      return null;
    }
    if (data[1] !== NAL_UNITS) return null;
    // Parameter sets come from the configuration, and of the rest only slices are needed: no SEI, no delimiters.
    const slices = lengthPrefixed(body).filter((nal) => [NAL_SLICE, NAL_IDR].includes((nal[0] ?? 0) & 0x1f));
    if (slices.length === 0) return null;
    const key = slices.some((nal) => ((nal[0] ?? 0) & 0x1f) === NAL_IDR);
    // Copies: a kept picture must not hold on to the whole chunk that it came in.
    const nals = slices.map((nal) => Buffer.from(nal));
    return { nals: key ? [...this.#parameterSets, ...nals] : nals, key };
  }
}

/** SPS and PPS of an AVCDecoderConfigurationRecord (ISO 14496-15 section 5.3.3.1). */
function parameterSets(record: Buffer): Buffer[] {
  if (((record[4] ?? 0) & 3) !== 3) throw new Error('NAL lengths of four bytes expected');
  const sets: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = record.readUInt8(at++) & mask;
    for (let i = 0; i < count; i++) {
      const bytes = record.readUInt16BE(at);
      sets.push(Buffer.from(record.subarray(at + 2, at + 2 + bytes)));
      at += 2 + bytes;
    }
  }
  return sets;
}

function lengthPrefixed(body: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  for (let at = 0; at + 4 <= body.length; ) {
    const bytes = body.readUInt32BE(at);
    if (at + 4 + bytes > body.length) throw new Error('NAL unit beyond its tag');
    nals.push(body.subarray(at + 4, at + 4 + bytes));
    at += 4 + bytes;
  }
  return nals;
}
