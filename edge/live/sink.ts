import type { LivePacket } from '#grid/live/mod.ts';
import type { LiveBox, LiveStart } from '#grid/wire/mod.ts';

/** Where the pictures of a live view go; each call is bounded by what the line takes, and what it does not take is dropped. */
export interface LiveSink {
  /** What follows is of this form. Comes before everything else, and again when the stream begins anew. */
  start(form: Pick<LiveStart, 'form' | 'codec' | 'widthPx' | 'heightPx'>): void;
  packet(packet: LivePacket): void;
  /** The things in the picture that arrived at `at`, UTC ms. */
  boxes(at: number, boxes: LiveBox[]): void;
  /** There is nothing to be seen, and why. */
  unavailable(why: string): void;
}

/** Makes the pictures of one view while somebody looks. `stop` may be called twice and before `start`. */
export interface LiveSource {
  start(): void;
  stop(): Promise<void>;
}
