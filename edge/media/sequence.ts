/** The stream has become another one, of another size or coding: it needs another init, from another ffmpeg. */
export class ChangedError extends Error {
  constructor() {
    super('the parameters of the stream are others');
    this.name = 'ChangedError';
  }
}

/** ffmpeg writes the length of each NAL unit in four bytes before it. */
const LENGTH_BYTES = 4;
/** A key picture has its parameter sets in front, among few others. */
const NALS_MAX = 16;

interface Codec {
  typeOf: (first: number) => number;
  sps: number;
  /** Units of pictures have types below. */
  pictureBelow: number;
}
/** ITU-T H.264, table 7-1; H.265, table 7-1. */
const H264: Codec = { typeOf: (first) => first & 0x1f, sps: 7, pictureBelow: 6 };
const H265: Codec = { typeOf: (first) => (first >> 1) & 0x3f, sps: 33, pictureBelow: 32 };

/** The sequence parameter set before the first picture of a fragment's `mdat` content; null where there is none. `codec` as in RFC 6381. */
export function sequenceParametersOf(samples: Buffer, codec: string): Buffer | null {
  const { typeOf, sps, pictureBelow } = codec.startsWith('avc') ? H264 : H265;
  for (let at = 0, n = 0; n < NALS_MAX && at + LENGTH_BYTES < samples.length; n++) {
    const from = at + LENGTH_BYTES;
    at = from + samples.readUInt32BE(at);
    const type = typeOf(samples[from] as number);
    if (type === sps) return samples.subarray(from, at);
    if (type < pictureBelow) return null;
  }
  return null;
}

/**
 * Tells a stream that has changed from one in which bits are flipped: other parameters are believed when the next key picture brings
 * the same again. What lies between is of no use.
 */
export class SequenceWatch {
  #known: Buffer | null = null;
  #doubtful: Buffer | null = null;

  /** `samples` begin with a key picture. Throws ChangedError. */
  key(samples: Buffer, codec: string): void {
    const found = sequenceParametersOf(samples, codec);
    if (found === null) return;
    this.#known ??= Buffer.from(found);
    const same = this.#known.equals(found);
    if (!same && this.#doubtful?.equals(found)) throw new ChangedError();
    this.#doubtful = same ? null : Buffer.from(found);
  }

  /** Whether what came since the last key picture fits the init. */
  get fits(): boolean {
    return this.#doubtful === null;
  }
}
