import type { LivePacket, LiveStart } from '#grid/live/mod.ts';
import type { CreateScreen, Screen } from './screen.ts';

/** Seconds behind the newest: a fragment is a quarter of one, and the next may be late. */
const BEHIND_S = 0.5;
/** Farther behind it plays a little faster, much farther it jumps. */
const HURRY_S = 1;
const JUMP_S = 2.5;
const HURRY_RATE = 1.1;
/** Kept behind what is shown. */
const KEEP_S = 10;
const TRIM_S = 30;
/** Fragments that wait for the buffer: a tab that sleeps does not take any. */
const WAITING_MAX = 80;
const TICK_MS = 250;
/** Arrivals that the time of a picture is told by; the quickest of them is the least delayed. */
const ARRIVALS = 40;

/** Fragmented MP4 by Media Source Extensions, kept near the present. */
export const createMse: CreateScreen = (start, onFault) => new Mse(start, onFault);

class Mse implements Screen {
  readonly element = document.createElement('video');
  readonly #onFault: (why: string) => void;
  readonly #source = new MediaSource();
  readonly #url: string;
  readonly #mime: string;
  #buffer: SourceBuffer | null = null;
  #waiting: LivePacket[] = [];
  /** Being appended. */
  #at: number | null = null;
  /** `at` less the media time that it belongs to, ms, of the last fragments. */
  #offsets: number[] = [];
  #shownS: number | null = null;
  readonly #timer: ReturnType<typeof setInterval>;
  #destroyed = false;

  constructor({ codec }: LiveStart, onFault: (why: string) => void) {
    this.#onFault = onFault;
    this.#mime = `video/mp4; codecs="${codec}"`;
    const { element } = this;
    element.muted = true;
    element.autoplay = true;
    element.playsInline = true;
    element.disablePictureInPicture = true;
    this.#url = URL.createObjectURL(this.#source);
    element.src = this.#url;
    element.addEventListener('error', () => this.#fault(element.error?.message ?? 'video'));
    this.#source.addEventListener('sourceopen', () => this.#open(), { once: true });
    this.#timer = setInterval(() => this.#keepUp(), TICK_MS);
    this.#follow();
  }

  shownAt(): number | null {
    return this.#shownS === null || this.#offsets.length === 0 ? null : this.#shownS * 1000 + Math.min(...this.#offsets);
  }

  show(packet: LivePacket): void {
    if (packet.kind === 'init') this.#waiting = [];
    this.#waiting.push(packet);
    if (this.#waiting.length > WAITING_MAX) this.#leaveOut();
    this.#append();
  }

  destroy(): void {
    this.#destroyed = true;
    clearInterval(this.#timer);
    this.#waiting = [];
    this.element.removeAttribute('src');
    this.element.load();
    URL.revokeObjectURL(this.#url);
  }

  #open(): void {
    if (this.#destroyed) return;
    try {
      this.#buffer = this.#source.addSourceBuffer(this.#mime);
    } catch (error) {
      this.#fault(String(error));
      return;
    }
    this.#buffer.addEventListener('updateend', () => this.#appended());
    this.#buffer.addEventListener('error', () => this.#fault('the stream cannot be decoded'));
    this.#append();
  }

  #append(): void {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating || this.#destroyed) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    try {
      this.#at = next.kind === 'media' ? next.at : null;
      buffer.appendBuffer(next.bytes as BufferSource);
    } catch (error) {
      // A full buffer is trimmed at the next turn, and what did not go in is gone.
      if ((error as DOMException).name === 'QuotaExceededError') this.#trim(buffer, 1);
      else this.#fault(String(error));
    }
  }

  #appended(): void {
    const buffer = this.#buffer;
    if (buffer === null || this.#destroyed) return;
    const { buffered } = buffer;
    if (this.#at !== null && buffered.length > 0) {
      this.#offsets.push(this.#at - buffered.end(buffered.length - 1) * 1000);
      if (this.#offsets.length > ARRIVALS) this.#offsets.shift();
      this.#at = null;
    }
    this.#keepUp();
    if (buffered.length > 0 && this.element.currentTime - buffered.start(0) > TRIM_S) this.#trim(buffer, KEEP_S);
    this.#append();
  }

  /** To the next key, of which the newest counts. */
  #leaveOut(): void {
    const key = this.#waiting.findLastIndex((p) => p.key);
    this.#waiting = this.#waiting.slice(Math.max(0, key));
  }

  #trim(buffer: SourceBuffer, keepS: number): void {
    const until = this.element.currentTime - keepS;
    if (!buffer.updating && until > 0) buffer.remove(0, until);
  }

  /** Jumps over what was left out, and does not fall behind. */
  #keepUp(): void {
    const { element } = this;
    const { buffered } = element;
    if (buffered.length === 0 || this.#destroyed) return;
    const [startS, endS] = [buffered.start(buffered.length - 1), buffered.end(buffered.length - 1)];
    const behindS = endS - element.currentTime;
    if (element.currentTime < startS || behindS > JUMP_S || behindS < 0) element.currentTime = Math.max(startS, endS - BEHIND_S);
    element.playbackRate = behindS > HURRY_S ? HURRY_RATE : 1;
    if (element.paused) element.play().catch(() => undefined);
  }

  /** Which picture is on the screen, to the frame where the browser says it. */
  #follow(): void {
    const { element } = this;
    if (element.requestVideoFrameCallback === undefined) {
      element.addEventListener('timeupdate', () => {
        this.#shownS = element.currentTime;
      });
      return;
    }
    const next = (): void => {
      element.requestVideoFrameCallback((_now, { mediaTime }) => {
        this.#shownS = mediaTime;
        if (!this.#destroyed) next();
      });
    };
    next();
  }

  #fault(why: string): void {
    if (!this.#destroyed) this.#onFault(why);
  }
}
