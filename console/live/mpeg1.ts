import type { Destination, Source } from '@cycjimmy/jsmpeg-player';
import type { LivePacket } from '#grid/live/mod.ts';
import type { CreateScreen, Screen } from './screen.ts';

const BUFFER_BYTES = 1024 * 1024;
/** Pieces that come while the player is fetched. */
const WAITING_MAX = 200;

/** MPEG-1 in a transport stream, decoded by jsmpeg, which is fetched when it is needed. */
export const createMpeg1: CreateScreen = (_start, onFault) => new Mpeg1(onFault);

class Mpeg1 implements Screen {
  readonly element = document.createElement('canvas');
  #player: { destroy(): void } | null = null;
  #destination: Destination | null = null;
  #waiting: LivePacket[] = [];
  /** Of the newest piece that was handed in, and of the picture that is shown: pictures are decoded as they come. */
  #newestAt: number | null = null;
  #shownAt: number | null = null;
  #destroyed = false;

  constructor(onFault: (why: string) => void) {
    this.#load().catch((error: unknown) => {
      if (!this.#destroyed) onFault(String(error));
    });
  }

  shownAt(): number | null {
    return this.#shownAt;
  }

  show(packet: LivePacket): void {
    if (this.#destination === null) {
      if (this.#waiting.length < WAITING_MAX) this.#waiting.push(packet);
      return;
    }
    this.#newestAt = packet.at;
    this.#destination.write(packet.bytes);
  }

  destroy(): void {
    this.#destroyed = true;
    this.#destination = null;
    this.#waiting = [];
    this.#player?.destroy();
  }

  async #load(): Promise<void> {
    const { default: JSMpeg } = await import('@cycjimmy/jsmpeg-player');
    if (this.#destroyed) return;
    this.#player = new JSMpeg.Player(null, {
      source: this.#source(),
      canvas: this.element,
      audio: false,
      // Compiling it would need more than our content security policy gives.
      disableWebAssembly: true,
      disableGl: true,
      videoBufferSize: BUFFER_BYTES,
      onVideoDecode: () => {
        this.#shownAt = this.#newestAt;
      },
    });
  }

  /** The player's source is a class of its own making: this one takes what we hand in. */
  #source(): new () => Source {
    const connect = (destination: Destination): void => {
      this.#destination = destination;
      for (const packet of this.#waiting.splice(0)) this.show(packet);
    };
    return class {
      readonly streaming = true;
      readonly established = true;
      readonly completed = false;
      readonly progress = 1;
      connect = connect;
      start(): void {}
      resume(): void {}
      destroy(): void {}
    };
  }
}
