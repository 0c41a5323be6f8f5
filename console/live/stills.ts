import type { LivePacket } from '#grid/live/mod.ts';
import type { CreateScreen, Screen } from './screen.ts';

/** Single JPEGs on a canvas; one that comes while another is decoded waits, the newest wins. */
export const createStills: CreateScreen = () => new Stills();

class Stills implements Screen {
  readonly element = document.createElement('canvas');
  #shownAt: number | null = null;
  #waiting: LivePacket | null = null;
  #working = false;
  #destroyed = false;

  shownAt(): number | null {
    return this.#shownAt;
  }

  show(packet: LivePacket): void {
    this.#waiting = packet;
    if (!this.#working) void this.#work();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#waiting = null;
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let next = this.#take(); next !== null; next = this.#take()) {
      // One that cannot be read is left out; the next is near.
      const picture = await createImageBitmap(new Blob([next.bytes as BlobPart], { type: 'image/jpeg' })).catch(() => null);
      if (picture !== null && !this.#destroyed) this.#draw(picture, next.at);
      picture?.close();
    }
    this.#working = false;
  }

  #take(): LivePacket | null {
    const next = this.#waiting;
    this.#waiting = null;
    return next;
  }

  #draw(picture: ImageBitmap, at: number): void {
    const { element } = this;
    if (element.width !== picture.width) element.width = picture.width;
    if (element.height !== picture.height) element.height = picture.height;
    element.getContext('2d')?.drawImage(picture, 0, 0);
    this.#shownAt = at;
  }
}
