/** Packets of an MPEG transport stream (ISO/IEC 13818-1, 2.4.3). */
const PACKET_BYTES = 188;
const SYNC = 0x47;
/** Passed on when so much has gathered: a viewer's socket takes fewer, larger messages. */
const PIECE_BYTES_MAX = 64 * PACKET_BYTES;

/**
 * Cuts a transport stream where a viewer can begin: at packets that say that random access is possible there.
 * Throws when the stream is none.
 */
export class TransportReader {
  readonly #onPiece: (bytes: Buffer, key: boolean) => void;
  #rest = Buffer.alloc(0);
  /** Whether what has been passed on last belongs to the piece that is going on. */
  #key = false;

  constructor(onPiece: (bytes: Buffer, key: boolean) => void) {
    this.#onPiece = onPiece;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let from = 0;
    let at = 0;
    for (; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
      if (bytes[at] !== SYNC) throw new Error('not a transport stream');
      const begins = isRandomAccess(bytes, at);
      if (begins || at - from >= PIECE_BYTES_MAX) {
        this.#pass(bytes.subarray(from, at));
        from = at;
      }
      if (begins) this.#key = true;
    }
    this.#pass(bytes.subarray(from, at));
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  #pass(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#onPiece(piece, this.#key);
    this.#key = false;
  }
}

/** A payload begins here, and the adaptation field has the random access indicator. */
function isRandomAccess(bytes: Buffer, at: number): boolean {
  const starts = ((bytes[at + 1] as number) & 0x40) !== 0;
  const adapted = ((bytes[at + 3] as number) & 0x20) !== 0;
  return starts && adapted && (bytes[at + 4] as number) > 0 && ((bytes[at + 5] as number) & 0x40) !== 0;
}
