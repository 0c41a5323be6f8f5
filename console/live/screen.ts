import type { LivePacket, LiveStart } from '#grid/live/mod.ts';

/** Shows the pictures of one form in an element of its own. */
export interface Screen {
  readonly element: HTMLElement;
  /** UTC ms at which the picture that is shown came to the edge; null while there is none. */
  shownAt(): number | null;
  show(packet: LivePacket): void;
  destroy(): void;
}

export type CreateScreen = (start: LiveStart, onFault: (why: string) => void) => Screen;
