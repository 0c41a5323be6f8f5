/**
 * What a reader gets of a stream, so that what waits for it stays bounded: everything while it keeps up; nothing once more than
 * `bytesMax` wait for it, until that has shrunk to a quarter and a key comes. It begins with a key, too.
 */
export class KeyGate {
  #open = false;

  /** Nothing more until the next key: the stream begins anew, or something was left out. */
  close(): void {
    this.#open = false;
  }

  /** Whether it follows the stream now. */
  get open(): boolean {
    return this.#open;
  }

  /** Whether the next piece is for it. */
  passes(key: boolean, waitingBytes: number, bytesMax: number): boolean {
    if (this.#open) this.#open = waitingBytes <= bytesMax;
    else this.#open = key && waitingBytes <= bytesMax / 4;
    return this.#open;
  }
}
