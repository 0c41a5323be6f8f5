/** What a player needs before the first fragment: `ftyp` and `moov` of a fragmented MP4 (ISO/IEC 14496-12). */
export interface MediaInit {
  bytes: Buffer;
  /** RFC 6381: `avc1.64001f`, `hev1.1.6.L93.b0`. */
  codec: string;
  widthPx: number;
  heightPx: number;
}

/** One `moof` with its `mdat`, playable behind the init and, unless it is a key one, the fragments before it. */
export interface MediaFragment {
  bytes: Buffer;
  /** Begins with a key frame. */
  key: boolean;
  /** UTC ms and monotonic ms of its arrival: of its end, that is. */
  at: number;
  ms: number;
}

export interface MediaListener {
  /** At once where there is one, and again when the stream came back: what follows is played with this one. */
  init(init: MediaInit): void;
  fragment(fragment: MediaFragment): void;
  /**
   * Nothing comes until the next `init`. `reason` is a failure of the stream (`stalled`, `unauthorised`, ...), or
   *   `codec`    what the camera sends cannot go into an MP4: nothing will come until the camera is set otherwise;
   *   `stopped`  this camera was changed or removed: ask for its stream anew.
   */
  ended(reason: string): void;
}

/**
 * The main stream of one camera, never decoded: as it came, in fragments of a quarter of a second.
 * A camera that sends single JPEG pictures (HTTP) has none; one whose codec an MP4 cannot hold ends with `codec`.
 * H.264 and H.265 are passed on; sound is not taken.
 */
export interface MediaStream {
  /** Null until the stream has shown itself. */
  readonly init: MediaInit | null;
  /**
   * From the newest key fragment at or before `fromMs` (monotonic) on, as far back as the ring reaches: 15 s unless the
   * stream is so fat that its bytes are the limit. All of them belong to `init`. Empty when there is none.
   */
  since(fromMs: number): MediaFragment[];
  /** Calls come in order and from the event loop; a listener must not throw. Returns what ends it. */
  subscribe(listener: MediaListener): () => void;
}
