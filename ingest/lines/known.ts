import { ID_BYTES_MAX, LINE_FIELDS_MAX } from './limits.ts';

const WORD = 4;
const SHAPES_MAX = 8;

/** Of a kind, a cell and an edge, their tags and what stands between. */
const HEAD_BYTES_MAX = 128;

/**
 * Bytes that a scan found good, kept to be known again: the lines of a body are much alike, and four bytes are compared
 * as quickly as one is looked at.
 */
export class KnownBytes {
  readonly #view: DataView;

  constructor(bytesMax: number) {
    this.#view = new DataView(new ArrayBuffer(bytesMax));
  }

  /** Keeps `bytes[start, end)` at `to`. */
  learn(bytes: Uint8Array, start: number, end: number, to = 0): void {
    for (let i = start; i < end; i++) this.#view.setUint8(to + i - start, bytes[i] as number);
  }

  /** Whether the bytes kept at `[from, to)` stand at `at`, before `end`. */
  stands(view: DataView, at: number, end: number, from: number, to: number): boolean {
    const known = this.#view;
    const length = to - from;
    if (at + length > end) return false;
    let i = 0;
    for (; i + WORD <= length; i += WORD) if (view.getInt32(at + i) !== known.getInt32(from + i)) return false;
    for (; i < length; i++) if (view.getUint8(at + i) !== known.getUint8(from + i)) return false;
    return true;
  }
}

/** What lines of one kind in one unit grid have in common. */
export class LineShape {
  /** Up to the device. */
  readonly head = new KnownBytes(HEAD_BYTES_MAX);
  headLength = 0;
  kindLength = 0;
  /** Names of fields with their equals signs, one behind the other, each good and none twice; where each ends. */
  readonly names = new KnownBytes(LINE_FIELDS_MAX * (ID_BYTES_MAX + 1));
  readonly namesEnd = new Int32Array(LINE_FIELDS_MAX + 1);
  namesKnown = 0;
  /** The hour, UTC ms, that a line of this shape was last noted in, and for which body; none is 0. */
  hour = 0;
  notedFor = 0;
}

/** The shapes seen last: an edge has few kinds and unit grids, and their lines come in any order. */
export class LineShapes {
  readonly #all = Array.from({ length: SHAPES_MAX }, () => new LineShape());
  #last = 0;
  #oldest = 0;

  /** The one that the line at `start` has; null when it is none of them. */
  find(view: DataView, start: number, end: number): LineShape | null {
    for (let i = 0; i < SHAPES_MAX; i++) {
      const at = (this.#last + i) % SHAPES_MAX;
      const shape = this.#all[at] as LineShape;
      if (shape.headLength === 0 || !shape.head.stands(view, start, end, 0, shape.headLength)) continue;
      this.#last = at;
      return shape;
    }
    return null;
  }

  /** One to be learned, in place of the oldest. */
  fresh(): LineShape {
    const shape = this.#all[this.#oldest] as LineShape;
    this.#last = this.#oldest;
    this.#oldest = (this.#oldest + 1) % SHAPES_MAX;
    shape.headLength = 0;
    shape.namesKnown = 0;
    shape.notedFor = 0;
    return shape;
  }
}
