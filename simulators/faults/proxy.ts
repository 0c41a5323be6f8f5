import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { GewuError, type Service } from '#service/mod.ts';
import { type Dice, diceOf } from '../cameras/street/mod.ts';
import { Pipe, type PipeRules } from './pipe.ts';

/**
 * What a link can do to its connections; each stays until the next one, or `null`.
 *
 *   cut             resets every connection, and new ones at once
 *   blackhole       swallows bytes and ends in both directions, new connections too; those that lost bytes stay dead and
 *                   open when it is over, as behind a NAT that forgot them
 *   drop-response   requests arrive, answers are swallowed; when it is over, the connections are reset
 *   delay           each byte is late
 *   slice           bytes arrive in small pieces
 */
export type LinkFault =
  | { kind: 'cut' }
  | { kind: 'blackhole' }
  | { kind: 'drop-response' }
  | { kind: 'delay'; ms: number }
  | { kind: 'slice'; bytesMax: number };

export interface FaultProxyOptions {
  /** Loopback ports. 0 takes a free one. */
  listenPort?: number;
  targetPort: number;
  /** Of the pieces' lengths. */
  seed?: number;
  /** Connections at a time; more are reset. */
  connectionsMax?: number;
  /** A connection that a black hole left behind is reset after this, ms. */
  lingerMs?: number;
}

interface Connection {
  client: Socket;
  server: Socket;
  up: Pipe;
  down: Pipe;
  /** The target took it. */
  connected: boolean;
  /** Lost bytes in a black hole: silent for ever. */
  dead: boolean;
  lingering: boolean;
}

const HOST = '127.0.0.1';
const CONNECTIONS_MAX = 256;
const LINGER_MS = 60_000;
const UNTOUCHED: PipeRules = { delayMs: 0, sliceBytesMax: 0 };

/**
 * A TCP link that can fail on command, between two programs on this machine.
 *
 *   client --> [proxy: listenPort] --> targetPort
 */
export class FaultProxy implements Service {
  readonly #options: Required<FaultProxyOptions>;
  readonly #dice: Dice;
  readonly #connections = new Set<Connection>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #server: Server | undefined;
  #port = 0;
  #fault: LinkFault | null = null;
  #accepted = 0;

  constructor(options: FaultProxyOptions) {
    this.#options = { listenPort: 0, seed: 1, connectionsMax: CONNECTIONS_MAX, lingerMs: LINGER_MS, ...options };
    this.#dice = diceOf(this.#options.seed, 71);
  }

  /** After `start`. */
  get port(): number {
    return this.#port;
  }

  get fault(): LinkFault | null {
    return this.#fault;
  }

  /** Open now, and since the start. */
  get connections(): { open: number; accepted: number } {
    return { open: this.#connections.size, accepted: this.#accepted };
  }

  /** Throws GEWU_PORT_IN_USE. */
  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    server.listen(this.#options.listenPort, HOST);
    await once(server, 'listening').catch((cause: Error) => {
      throw new GewuError('GEWU_PORT_IN_USE', `${HOST}:${this.#options.listenPort}: ${cause.message}`, { cause });
    });
    this.#server = server;
    this.#port = (server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const c of this.#connections) reset(c);
    await closed;
  }

  /** Takes effect at once, on open connections and new ones; `null` ends what was. */
  set(fault: LinkFault | null): void {
    const before = this.#fault;
    this.#fault = fault;
    if (before?.kind === 'drop-response') for (const c of this.#connections) if (!c.dead) reset(c);
    for (const c of this.#connections) this.#apply(c);
  }

  #apply(c: Connection): void {
    switch (this.#fault?.kind) {
      case 'cut':
        reset(c);
        break;
      case 'blackhole':
        c.dead = true;
        c.up.swallow();
        c.down.swallow();
        break;
      case 'drop-response':
        c.down.swallow();
        break;
    }
  }

  #rules(): PipeRules {
    if (this.#fault?.kind === 'delay') return { delayMs: this.#fault.ms, sliceBytesMax: 0 };
    if (this.#fault?.kind === 'slice') return { delayMs: 0, sliceBytesMax: this.#fault.bytesMax };
    return UNTOUCHED;
  }

  #accept(client: Socket): void {
    this.#accepted++;
    client.on('error', () => undefined);
    if (this.#fault?.kind === 'cut' || this.#connections.size >= this.#options.connectionsMax) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#options.targetPort, host: HOST, allowHalfOpen: true, noDelay: true });
    server.on('error', () => undefined);
    const common = { rules: () => this.#rules(), dice: this.#dice };
    const up = new Pipe({ from: client, to: server, ...common });
    const down = new Pipe({ from: server, to: client, ...common });
    const connection: Connection = { client, server, up, down, connected: false, dead: false, lingering: false };
    this.#connections.add(connection);
    server.once('connect', () => {
      connection.connected = true;
    });
    client.once('close', () => this.#closed(connection));
    server.once('close', () => this.#closed(connection));
    // A black hole swallows the end, too: nobody would end these.
    for (const socket of [client, server]) socket.once('end', () => this.#lingerIfDead(connection));
    this.#apply(connection);
  }

  /** One side is gone. The other hears of it, unless the connection is dead: then it goes on believing, for a while. */
  #closed(connection: Connection): void {
    if (!this.#connections.has(connection)) return;
    if (connection.dead) {
      this.#linger(connection);
      return;
    }
    this.#connections.delete(connection);
    const { client, server, connected } = connection;
    // Nobody listens there: so it looks from the client's side, too.
    if (!connected) client.resetAndDestroy();
    for (const socket of [client, server]) if (!socket.destroyed) finish(socket);
  }

  #lingerIfDead(connection: Connection): void {
    if (connection.dead) this.#linger(connection);
  }

  #linger(connection: Connection): void {
    if (connection.lingering) return;
    connection.lingering = true;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#connections.delete(connection);
      reset(connection);
    }, this.#options.lingerMs);
    timer.unref();
    this.#timers.add(timer);
  }
}

function reset({ client, server }: { client: Socket; server: Socket }): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}

/** What was written may still leave; then it is over, in any case. */
function finish(socket: Socket): void {
  socket.end();
  socket.resume();
  if (socket.writableLength === 0) socket.destroy();
  else socket.once('finish', () => socket.destroy());
}
