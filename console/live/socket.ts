import { decodePacket, type LiveEnded, type LiveOpen, type LivePacket, type ViewerLive } from '#grid/live/mod.ts';

export interface LiveSocketDeps {
  /** `wss://centre/api/v1/live` */
  url: string;
  open: LiveOpen;
  onMessage: (message: ViewerLive) => void;
  onPacket: (packet: LivePacket) => void;
  /** It is not there now, and is tried again by itself. */
  onLost: () => void;
  /** Nothing comes any more, and nothing will unless somebody opens it anew. */
  onEnded: (ended: Pick<LiveEnded, 'code' | 'message'>) => void;
}

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 15_000;
/** After so many tries in a row that showed nothing it is given up. */
const TRIES_MAX = 8;
/** RFC 6455, 7.4.1. Refused: it would be refused again. */
const POLICY = 1008;

/** One view's connection: opened, opened again after an interruption, and given up when it is refused. */
export class LiveSocket {
  readonly #deps: LiveSocketDeps;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #stopped = false;
  #ended: LiveEnded | null = null;

  constructor(deps: LiveSocketDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#stopped = false;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #connect(): void {
    const { url, open, onPacket } = this.#deps;
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#ended = null;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => socket.send(JSON.stringify(open));
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket) return;
      if (typeof data === 'string') {
        this.#hear(JSON.parse(data) as ViewerLive);
        return;
      }
      const packet = decodePacket(new Uint8Array(data as ArrayBuffer));
      if (packet === null) return;
      this.#tries = 0;
      onPacket(packet);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket === socket) this.#closed(code);
    };
  }

  #hear(message: ViewerLive): void {
    if (message.type === 'ended') this.#ended = message;
    else this.#deps.onMessage(message);
  }

  #closed(code: number): void {
    this.#socket = null;
    if (this.#stopped) return;
    if (code === POLICY || ++this.#tries >= TRIES_MAX) {
      this.#deps.onEnded(this.#ended ?? { code: 'GEWU_LIVE_UNAVAILABLE', message: 'the centre cannot be reached' });
      return;
    }
    this.#deps.onLost();
    const waitMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (this.#tries - 1)) * (0.5 + Math.random());
    this.#timer = setTimeout(() => this.#connect(), waitMs);
  }
}
