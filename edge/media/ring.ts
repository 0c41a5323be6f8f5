import type { Clock } from '#service/mod.ts';
import { FragmentReader } from './fragments.ts';
import type { MediaFragment, MediaInit, MediaListener, MediaStream } from './stream.ts';

export interface MediaRingLimits {
  /** Kept for at least so long. */
  spanMs: number;
  /** And never more than this: what is oldest goes first, whole groups of pictures at a time. */
  bytesMax: number;
}

/** Five seconds before an event and what it takes to confirm it; 16 MiB are 15 s at 8.9 Mbit/s. */
const LIMITS: MediaRingLimits = { spanMs: 15_000, bytesMax: 16 * 1024 * 1024 };

/**
 * The last seconds of one camera's stream in memory, and its fan-out.
 *
 *   ffmpeg --fragmented MP4--> FragmentReader --> ring (time and bytes bounded) --> since
 *                                             +--> listeners
 *
 * It begins with a key fragment at all times, and holds fragments of one init only.
 */
export class MediaRing implements MediaStream {
  readonly #clock: Clock;
  readonly #limits: MediaRingLimits;
  readonly #listeners = new Set<MediaListener>();
  #init: MediaInit | null = null;
  #fragments: MediaFragment[] = [];
  #bytes = 0;

  constructor({ clock, limits = LIMITS }: { clock: Clock; limits?: MediaRingLimits }) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get init(): MediaInit | null {
    return this.#init;
  }

  /** Held in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  since(fromMs: number): MediaFragment[] {
    const from = this.#fragments.findLastIndex(({ key, ms }) => key && ms <= fromMs);
    return this.#fragments.slice(Math.max(0, from));
  }

  subscribe(listener: MediaListener): () => void {
    this.#listeners.add(listener);
    if (this.#init !== null) listener.init(this.#init);
    return () => this.#listeners.delete(listener);
  }

  /** A new ffmpeg begins: returns what takes its output, and throws as FragmentReader does. */
  begin(): (chunk: Buffer) => void {
    const reader = new FragmentReader({
      init: (init) => {
        this.#clear();
        this.#init = init;
        for (const listener of this.#listeners) listener.init(init);
      },
      fragment: (bytes, key) => this.#push({ bytes, key, at: this.#clock.now(), ms: this.#clock.monotonic() }),
    });
    return (chunk) => reader.push(chunk);
  }

  /** The stream broke. What is kept stays until it is back. */
  end(reason: string): void {
    for (const listener of this.#listeners) listener.ended(reason);
  }

  /** For good: no listener hears anything more. */
  close(): void {
    this.end('stopped');
    this.#listeners.clear();
    this.#clear();
    this.#init = null;
  }

  #push(fragment: MediaFragment): void {
    // Without the key picture before it a fragment is of no use later.
    if (fragment.key || this.#fragments.length > 0) {
      this.#fragments.push(fragment);
      this.#bytes += fragment.bytes.length;
      this.#trim(fragment.ms);
    }
    for (const listener of this.#listeners) listener.fragment(fragment);
  }

  #trim(nowMs: number): void {
    while (this.#fragments.length > 0) {
      const next = this.#fragments.findIndex(({ key }, i) => i > 0 && key);
      const enough = next > 0 && (this.#fragments[next] as MediaFragment).ms <= nowMs - this.#limits.spanMs;
      if (!enough && this.#bytes <= this.#limits.bytesMax) return;
      const dropped = this.#fragments.splice(0, next > 0 ? next : this.#fragments.length);
      this.#bytes -= dropped.reduce((sum, { bytes }) => sum + bytes.length, 0);
    }
  }

  #clear(): void {
    this.#fragments = [];
    this.#bytes = 0;
  }
}
