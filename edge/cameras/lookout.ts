import type { Box } from '#models/mod.ts';
import type { Track } from '../vision/mod.ts';
import type { FullPicture } from './full_picture.ts';

/** A picture that was looked at. Its memory is used again soon: what is wanted of it is taken during the call. */
export interface Looked {
  full: FullPicture;
  /** UTC ms and monotonic ms of its arrival. */
  at: number;
  ms: number;
  /** For the mask only: people are not tracked, stored or sent. */
  people: readonly Box[];
  /** Of things, those that are in this picture. */
  tracks: readonly Track[];
  /** Of those that have an event: they have stood for its dwell time. None where the model may not speak for the camera. */
  clear: readonly Box[];
  /** Whether the model's word on that class counts for this camera. */
  trusted: (detects: string) => boolean;
}
export type LookListener = (looked: Looked) => void;

/** Who watches which camera. A camera that is changed or comes later is watched as well; one that nobody watches costs nothing. */
export class Lookout {
  readonly #listeners = new Map<string, Set<LookListener>>();

  /** The listener must not throw. Returns what ends it. */
  watch(camera: string, listener: LookListener): () => void {
    const listeners = this.#listeners.get(camera) ?? new Set();
    this.#listeners.set(camera, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(camera) === listeners) this.#listeners.delete(camera);
    };
  }

  tell(camera: string, look: () => Looked): void {
    const listeners = this.#listeners.get(camera);
    if (listeners === undefined) return;
    const looked = look();
    for (const listener of [...listeners]) listener(looked);
  }
}
