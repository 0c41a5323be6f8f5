import type { LiveBox, LiveCodec, LiveForm, LivePacket, LiveStart, LiveView, ViewerLive } from '#grid/live/mod.ts';
import { BoxHistory } from './boxes.ts';
import { createMpeg1 } from './mpeg1.ts';
import { createMse } from './mse.ts';
import { Overlay, type OverlayOptions } from './overlay.ts';
import type { CreateScreen, Screen } from './screen.ts';
import { LiveSocket } from './socket.ts';
import { createStills } from './stills.ts';

/** What a view is doing, for the page around it. */
export interface LiveStatus {
  /** `connecting` to the centre, `waiting` for the edge or the camera, `playing`, `paused` while the page is hidden, `ended`. */
  phase: 'connecting' | 'waiting' | 'playing' | 'paused' | 'ended';
  /** UTC ms at which it ends at the latest; of a raw view with its grant. */
  endsAt?: number;
  /** Why it ended: a code of the error catalogue. */
  code?: string;
  message?: string;
}

export interface LiveViewerOptions {
  /** Is filled; its size is the view's. */
  container: HTMLElement;
  camera: string;
  view: LiveView;
  /** Of a raw view. */
  grant?: string;
  /** Where no session cookie says who looks. */
  token?: string;
  /** `wss://centre/api/v1/live`; this page's own centre unless told. */
  url?: string;
  overlay?: Partial<OverlayOptions>;
  onStatus?: (status: LiveStatus) => void;
  /** The stream begins, or begins anew: its size and its zones. */
  onBegin?: (start: LiveStart) => void;
}

const SCREENS: Readonly<Record<LiveForm, CreateScreen>> = { jpeg: createStills, fmp4: createMse, mpeg1: createMpeg1 };
/** A page that nobody sees gives its view back after this. */
const HIDDEN_MS = 30_000;
/** A stream that cannot be decoded is opened anew, so often at the most. */
const FAULTS_MAX = 3;
/** A masked view that has ended is opened again: soon where only its time was over, and ever later while nothing comes. */
const AGAIN_MS_MIN = 2_000;
const AGAIN_MS_MAX = 120_000;

/**
 * One live view in a page, without a framework. A masked one goes on for as long as it is wanted; a raw one ends with its grant.
 *
 *   socket --packets--> screen of the form (canvas, MSE, jsmpeg)
 *          --boxes----> BoxHistory --at the time of the picture that is shown--> overlay
 */
export class LiveViewer {
  readonly #options: LiveViewerOptions;
  readonly #overlay = new Overlay();
  readonly #boxes = new BoxHistory();
  #drawing: OverlayOptions;
  #socket: LiveSocket | null = null;
  #screen: Screen | null = null;
  #start: LiveStart | null = null;
  #status: LiveStatus = { phase: 'connecting' };
  #faults = 0;
  #frame = 0;
  #hidden: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  /** Endings in a row without a picture in between. */
  #ends = 0;
  readonly #onVisibility = () => this.#visible(document.visibilityState === 'visible');

  constructor(options: LiveViewerOptions) {
    this.#options = options;
    const label = (box: LiveBox) => `${box.class} ${Math.round(box.score * 100)}%`;
    this.#drawing = { boxes: true, zones: true, label, ...options.overlay };
  }

  start(): void {
    const { container } = this.#options;
    if (getComputedStyle(container).position === 'static') container.style.position = 'relative';
    container.append(this.#overlay.element);
    fill(this.#overlay.element);
    this.#overlay.element.style.pointerEvents = 'none';
    document.addEventListener('visibilitychange', this.#onVisibility);
    this.#open();
    const draw = () => {
      this.#frame = requestAnimationFrame(draw);
      this.#draw();
    };
    draw();
  }

  /** Closes the view and takes everything out of the container again. */
  stop(): void {
    document.removeEventListener('visibilitychange', this.#onVisibility);
    clearTimeout(this.#hidden);
    cancelAnimationFrame(this.#frame);
    this.#close();
    this.#overlay.element.remove();
  }

  /** Changes what is drawn over the picture. */
  setOverlay(overlay: Partial<OverlayOptions>): void {
    this.#drawing = { ...this.#drawing, ...overlay };
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** UTC ms at which the picture that is shown came to the edge; null while there is none. */
  get shownAt(): number | null {
    return this.#screen?.shownAt() ?? null;
  }

  /** What is drawn over that picture. */
  get shownBoxes(): LiveBox[] {
    const at = this.shownAt;
    return at === null ? [] : this.#boxes.at(at);
  }

  #open(): void {
    const { camera, view, grant, token, url = ownCentre() } = this.#options;
    this.#tell({ phase: 'connecting' });
    const who = { ...(grant === undefined ? {} : { grant }), ...(token === undefined ? {} : { token }) };
    this.#socket = new LiveSocket({
      url,
      open: { type: 'open', camera, view, plays: playable(), ...who },
      onMessage: (message) => this.#hear(message),
      onPacket: (packet) => this.#show(packet),
      onLost: () => this.#tell({ ...this.#status, phase: 'connecting' }),
      onEnded: ({ code, message }) => this.#end(code, message),
    });
    this.#socket.start();
  }

  #close(): void {
    clearTimeout(this.#again);
    this.#socket?.stop();
    this.#socket = null;
    this.#screen?.destroy();
    this.#screen?.element.remove();
    this.#screen = null;
    this.#start = null;
    this.#boxes.clear();
  }

  #hear(message: ViewerLive): void {
    if (message.type === 'start') this.#begin(message);
    else if (message.type === 'boxes') this.#boxes.push(message);
    else if (message.type === 'state')
      this.#tell({ phase: message.state === 'playing' ? 'playing' : 'waiting', endsAt: message.endsAt });
  }

  #begin(start: LiveStart): void {
    this.#screen?.destroy();
    this.#screen?.element.remove();
    this.#boxes.clear();
    this.#start = start;
    this.#screen = SCREENS[start.form](start, (why) => this.#faulty(why));
    const { element } = this.#screen;
    fill(element);
    element.style.objectFit = 'contain';
    this.#options.container.insertBefore(element, this.#overlay.element);
    this.#options.onBegin?.(start);
  }

  #show(packet: LivePacket): void {
    this.#ends = 0;
    this.#screen?.show(packet);
  }

  #draw(): void {
    if (this.#start === null) this.#overlay.clear();
    else this.#overlay.draw(this.#start, this.shownBoxes, this.#drawing);
  }

  #faulty(why: string): void {
    this.#close();
    if (++this.#faults > FAULTS_MAX) this.#end('GEWU_LIVE_UNAVAILABLE', why);
    else this.#open();
  }

  #end(code: string, message: string): void {
    this.#close();
    this.#tell({ phase: 'ended', code, message });
    if (this.#options.view === 'raw') return;
    const waitMs = Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** this.#ends++) * (0.5 + Math.random());
    this.#again = setTimeout(() => this.#open(), waitMs);
  }

  #visible(visible: boolean): void {
    clearTimeout(this.#hidden);
    if (visible && this.#status.phase === 'paused') this.#open();
    if (visible || (this.#status.phase === 'ended' && this.#options.view === 'raw')) return;
    this.#hidden = setTimeout(() => {
      this.#close();
      this.#tell({ phase: 'paused' });
    }, HIDDEN_MS);
  }

  #tell(status: LiveStatus): void {
    this.#status = status;
    this.#options.onStatus?.(status);
  }
}

function fill({ style }: HTMLElement): void {
  Object.assign(style, { position: 'absolute', inset: '0', width: '100%', height: '100%' });
}

function ownCentre(): string {
  const { protocol, host } = globalThis.location;
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/api/v1/live`;
}

/** Codecs that this browser plays; what it does not comes as MPEG-1. */
export function playable(): LiveCodec[] {
  const plays = (codec: string) => 'MediaSource' in globalThis && MediaSource.isTypeSupported(`video/mp4; codecs="${codec}"`);
  const codecs: [LiveCodec, string][] = [
    ['h264', 'avc1.640028'],
    ['h265', 'hev1.1.6.L93.B0'],
  ];
  return codecs.filter(([, example]) => plays(example)).map(([name]) => name);
}
