import { Compile } from 'typebox/compile';
import type { RawData, WebSocket } from 'ws';
import { LiveOpen } from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';

/** A viewer says what it wants within so long. */
const GREETING_MS_MAX = 5_000;
/** Sockets that have not said it yet: in all, and of one address. */
const WAITING_MAX = 100;
const WAITING_PER_ADDRESS_MAX = 20;
/** Of the one message of a viewer. */
export const GREETING_BYTES_MAX = 4 * 1024;

const check = Compile(LiveOpen);

/** Sockets of whom nobody knows yet who they are: few, for a short time, and with one small message. */
export class Greetings {
  readonly #waiting = new Map<string, number>();

  /** Before a request becomes a socket. Throws GEWU_TOO_MANY_REQUESTS. */
  check(address: string): void {
    const all = [...this.#waiting.values()].reduce((sum, n) => sum + n, 0);
    if (all >= WAITING_MAX || (this.#waiting.get(address) ?? 0) >= WAITING_PER_ADDRESS_MAX)
      throw new GewuError('GEWU_TOO_MANY_REQUESTS', 'too many sockets that have not said what they want');
  }

  /** The first message. Throws GEWU_REQUEST_INVALID, also when none comes in time or the socket is closed. */
  async of(socket: WebSocket, address: string): Promise<LiveOpen> {
    this.#waiting.set(address, (this.#waiting.get(address) ?? 0) + 1);
    try {
      return readOpen(await firstMessage(socket));
    } finally {
      const left = (this.#waiting.get(address) ?? 1) - 1;
      if (left > 0) this.#waiting.set(address, left);
      else this.#waiting.delete(address);
    }
  }
}

function firstMessage(socket: WebSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string) => reject(new GewuError('GEWU_REQUEST_INVALID', why));
    const late = setTimeout(() => refuse('nothing was said in time'), GREETING_MS_MAX);
    const closed = () => refuse('closed before anything was said');
    socket.once('close', closed);
    socket.once('message', (data: RawData, binary: boolean) => {
      clearTimeout(late);
      socket.off('close', closed);
      if (binary) refuse('a viewer says what it wants as text');
      else resolve(data.toString());
    });
    socket.once('close', () => clearTimeout(late));
  });
}

function readOpen(text: string): LiveOpen {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new GewuError('GEWU_REQUEST_INVALID', 'the message is no JSON');
  }
  if (check.Check(message)) return message;
  const [first] = check.Errors(message);
  throw new GewuError('GEWU_REQUEST_INVALID', `the message is no "open": ${first?.instancePath} ${first?.message}`);
}
