import type { WebSocket } from 'ws';
import { KeyGate, type LivePacket } from '#grid/live/mod.ts';
import type { LiveEnded, LiveForm, LiveOpen, LiveState } from '#grid/wire/mod.ts';
import type { ErrorCode } from '#service/mod.ts';
import type { LiveCounters } from './metrics.ts';

/** A raw view's right to be. */
export interface ViewGrant {
  id: string;
  purpose: string;
  /** UTC ms. */
  endsAt: number;
}

export interface ViewerDeps {
  socket: WebSocket;
  account: { id: string; roles: readonly string[] };
  open: LiveOpen;
  grant: ViewGrant | null;
  /** UTC ms; the view ends then at the latest. */
  endsAt: number;
  counters: LiveCounters;
}

/**
 * Bytes that wait in our memory for one viewer, by form: two seconds of a stream; of single pictures just a few, so that the newest wins.
 */
const WAITING_BYTES_MAX: Readonly<Record<LiveForm, number>> = { fmp4: 1024 * 1024, mpeg1: 512 * 1024, jpeg: 64 * 1024 };
/** WebSocket close codes [RFC 6455, 7.4.1]: done, against the rules, try again later. */
const CLOSE = { done: 1000, policy: 1008, later: 1013 } as const;
const CLOSE_MS_MAX = 1_000;

/** One that looks: its socket, and how much of the stream it keeps up with. */
export class LiveViewer {
  readonly deps: ViewerDeps;
  readonly #socket: WebSocket;
  #form: LiveForm = 'jpeg';
  readonly #gate = new KeyGate();
  #answers = true;
  #bytes = 0;
  #dropped = 0;
  #over: string | null = null;

  constructor(deps: ViewerDeps) {
    this.deps = deps;
    this.#socket = deps.socket;
    this.#socket.on('pong', () => {
      this.#answers = true;
    });
    // It has said what it wanted, and has nothing more to say.
    this.#socket.on('message', () => this.end('GEWU_REQUEST_INVALID', 'a viewer says one thing only', 'reject'));
  }

  get stats(): { bytes: number; dropped: number; why: string } {
    return { bytes: this.#bytes, dropped: this.#dropped, why: this.#over ?? 'left' };
  }

  get over(): boolean {
    return this.#over !== null || this.#socket.readyState !== this.#socket.OPEN;
  }

  state(state: LiveState['state']): void {
    this.#text(JSON.stringify({ type: 'state', state, endsAt: this.deps.endsAt } satisfies LiveState));
  }

  /** The stream begins, or begins anew. */
  start(text: string, form: LiveForm): void {
    this.#form = form;
    this.#gate.close();
    this.#text(text);
  }

  /** What is of the moment only: not for who is behind. */
  boxes(text: string): void {
    if (this.#gate.open && this.#socket.bufferedAmount <= WAITING_BYTES_MAX[this.#form]) this.#text(text);
  }

  show(packet: Uint8Array, { kind, key }: Pick<LivePacket, 'kind' | 'key'>): void {
    if (this.over) return;
    if (kind === 'media' && !this.#gate.passes(key, this.#socket.bufferedAmount, WAITING_BYTES_MAX[this.#form])) {
      this.#dropped++;
      this.deps.counters.dropped.inc({ view: this.deps.open.view });
      return;
    }
    this.#bytes += packet.length;
    this.deps.counters.bytes.inc({ direction: 'out' }, packet.length);
    this.#socket.send(packet);
  }

  /** Asks whether it is still there; false when it did not answer the last time, and is gone. */
  beat(): boolean {
    if (!this.#answers) {
      this.#over ??= 'silent';
      this.#socket.terminate();
      return false;
    }
    this.#answers = false;
    this.#socket.ping();
    return true;
  }

  end(code: ErrorCode, message: string, remedy: 'reject' | 'retry' | 'done'): void {
    if (this.over) return;
    this.#over = code;
    this.deps.counters.refused.inc({ code });
    farewell(this.#socket, { code, message }, remedy);
  }

  #text(text: string): void {
    if (!this.over) this.#socket.send(text);
  }
}

/** Tells why, and closes; who does not close his end in time is cut off. */
export function farewell(
  socket: WebSocket,
  { code, message }: { code: ErrorCode; message: string },
  remedy: 'reject' | 'retry' | 'done',
): void {
  socket.send(JSON.stringify({ type: 'ended', code, message: message.slice(0, 256) } satisfies LiveEnded));
  socket.close({ reject: CLOSE.policy, retry: CLOSE.later, done: CLOSE.done }[remedy], code);
  const late = setTimeout(() => socket.terminate(), CLOSE_MS_MAX);
  socket.once('close', () => clearTimeout(late));
}
