import { BOX_HEADER_BYTES, BoxReader, boxAt, type Mp4Box } from './boxes.ts';
import { describeMovie } from './codec.ts';
import { SequenceWatch } from './sequence.ts';
import type { MediaInit } from './stream.ts';

export interface FragmentHandlers {
  init(init: MediaInit): void;
  fragment(bytes: Buffer, key: boolean): void;
}

/**
 * Cuts the output of one ffmpeg into the init and its fragments:
 *
 *   ftyp moov | moof mdat | moof mdat | ...
 *
 * `push` throws CodecError for what no player could use, ChangedError where the init fits no longer, Error for what is no fragmented MP4.
 */
export class FragmentReader {
  readonly #boxes = new BoxReader();
  readonly #handlers: FragmentHandlers;
  readonly #sequence = new SequenceWatch();
  /** The first half of what comes next. */
  #first: Mp4Box | null = null;
  #codec = '';

  constructor(handlers: FragmentHandlers) {
    this.#handlers = handlers;
  }

  push(chunk: Buffer): void {
    this.#boxes.push(chunk, (box) => this.#take(box));
  }

  #take(box: Mp4Box): void {
    const first = this.#first;
    if (box.type === 'ftyp' || box.type === 'moof') this.#first = box;
    else if (box.type === 'moov' && first?.type === 'ftyp') {
      this.#first = null;
      const movie = describeMovie(box.bytes);
      this.#codec = movie.codec;
      this.#handlers.init({ bytes: Buffer.concat([first.bytes, box.bytes]), ...movie });
    } else if (box.type === 'mdat' && first?.type === 'moof') {
      this.#first = null;
      const key = beginsWithKey(first.bytes);
      if (key) this.#sequence.key(box.bytes.subarray(BOX_HEADER_BYTES), this.#codec);
      if (this.#sequence.fits) this.#handlers.fragment(Buffer.concat([first.bytes, box.bytes]), key);
    }
  }
}

const DEFAULT_SAMPLE_FLAGS = 0x20;
const DATA_OFFSET = 0x1;
const FIRST_SAMPLE_FLAGS = 0x4;
/** Optional fields of `tfhd` before its default flags: base offset, description index, duration, size. */
const TFHD_BEFORE = [
  [0x1, 8],
  [0x2, 4],
  [0x8, 4],
  [0x10, 4],
] as const;
/** Optional fields of a `trun` sample before its flags: duration, size. */
const SAMPLE_BEFORE = [
  [0x100, 4],
  [0x200, 4],
] as const;
const SAMPLE_FLAGS = 0x400;
const NON_SYNC_SAMPLE = 0x10000;

/** Flags of the first sample [ISO/IEC 14496-12, 8.8.7 and 8.8.8]: its own, those for the first, or the default. */
function beginsWithKey(moof: Buffer): boolean {
  const trun = boxAt(moof, 'traf', 'trun');
  const tfhd = boxAt(moof, 'traf', 'tfhd');
  if (trun === null || tfhd === null) return false;
  const skipped = (flags: number, fields: readonly (readonly [number, number])[]): number =>
    fields.reduce((bytes, [flag, size]) => bytes + (flags & flag ? size : 0), 0);
  const flags = trun.readUInt32BE(BOX_HEADER_BYTES) & 0xffffff;
  // Version, flags and the sample count; in `tfhd` the track's id stands in the count's place.
  const after = BOX_HEADER_BYTES + 8;
  const firstAt = after + (flags & DATA_OFFSET ? 4 : 0);
  const defaults = tfhd.readUInt32BE(BOX_HEADER_BYTES) & 0xffffff;
  let sample = 0;
  if (flags & FIRST_SAMPLE_FLAGS) sample = trun.readUInt32BE(firstAt);
  else if (flags & SAMPLE_FLAGS) sample = trun.readUInt32BE(firstAt + skipped(flags, SAMPLE_BEFORE));
  else if (defaults & DEFAULT_SAMPLE_FLAGS) sample = tfhd.readUInt32BE(after + skipped(defaults, TFHD_BEFORE));
  return (sample & NON_SYNC_SAMPLE) === 0;
}
