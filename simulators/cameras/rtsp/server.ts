import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Clock, GewuError, type Log, type Service } from '#service/mod.ts';
import { type ConnectionLimits, RtspConnection } from './connection.ts';
import type { Credentials } from './digest.ts';
import type { RtspFault } from './fault.ts';
import { RtspMount } from './mount.ts';

export interface RtspServerConfig {
  /** Loopback unless told. */
  host?: string;
  /** 0 takes a free one; read it from `port` after the start. */
  port: number;
  /** Connections in all; further ones are closed at once. */
  connectionsMax?: number;
  /** Clients per mount; further ones are answered 453. */
  clientsPerMountMax?: number;
  limits?: Partial<ConnectionLimits>;
  /** PEM texts; with them it serves rtsps only. */
  tls?: { cert: string; key: string };
}

export interface RtspServerDeps {
  config: RtspServerConfig;
  log: Log;
  clock: Clock;
  /** Of the faults that hit by chance, 0 <= x < 1. */
  random?: () => number;
}

export interface MountOptions {
  /** Null lets everybody in. */
  credentials: Credentials | null;
  fps: number;
  /** Of this camera's faults that hit by chance, 0 <= x < 1; the server's where not given. */
  random?: () => number;
}

export const DEFAULT_LIMITS: ConnectionLimits = {
  backlogBytesMax: 512 * 1024,
  behindMsMax: 10_000,
  silenceMsMax: 120_000,
  describeMsMax: 3_000,
};
const CONNECTIONS_MAX = 256;
const CLIENTS_PER_MOUNT_MAX = 16;
const HANDSHAKE_MS_MAX = 10_000;

/** Serves any number of H.264 streams under their paths on one port: RTSP 1.0, RTP interleaved over TCP, digest MD5. */
export class RtspServer implements Service {
  readonly #deps: RtspServerDeps;
  readonly #mounts = new Map<string, RtspMount>();
  /** Also those that have not finished their TLS handshake. */
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(deps: RtspServerDeps) {
    this.#deps = deps;
  }

  /** Throws GEWU_PORT_IN_USE. */
  async start(): Promise<void> {
    const { host = '127.0.0.1', port, tls, connectionsMax = CONNECTIONS_MAX } = this.#deps.config;
    const accept = (socket: Socket): void => this.#accept(socket);
    const server = tls ? createTlsServer({ ...tls, handshakeTimeout: HANDSHAKE_MS_MAX }, accept) : createServer(accept);
    server.maxConnections = connectionsMax;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('tlsClientError', (error: Error) => this.#deps.log.debug({ err: error }, 'tls handshake'));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const text = `rtsp ${host}:${port}: ${error.message}`;
        reject(error.code === 'EADDRINUSE' ? new GewuError('GEWU_PORT_IN_USE', text, { cause: error }) : error);
      });
      server.listen({ host, port }, resolve);
    });
    server.on('error', (error) => this.#deps.log.warn({ err: error }, 'rtsp listener'));
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** The port it listens on; 0 before the start. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null | undefined)?.port ?? 0;
  }

  /** Address of a mount, without user and password. */
  url(path: string): string {
    const { host = '127.0.0.1', tls } = this.#deps.config;
    return `${tls ? 'rtsps' : 'rtsp'}://${host.includes(':') ? `[${host}]` : host}:${this.port}${path}`;
  }

  /** Adds a camera under `path` (`/cam-01`); its encoder pushes into what is returned. Throws when the path is taken. */
  mount(path: string, { credentials, fps, random }: MountOptions): RtspMount {
    if (!/^(\/[A-Za-z0-9_-]{1,64}){1,4}$/.test(path)) throw new RangeError(`mount path ${path}`);
    if (this.#mounts.has(path)) throw new RangeError(`mount path ${path} is taken`);
    const clientsMax = this.#deps.config.clientsPerMountMax ?? CLIENTS_PER_MOUNT_MAX;
    const mount = new RtspMount({ path, credentials, fps, clientsMax }, random ?? this.#deps.random ?? Math.random);
    this.#mounts.set(path, mount);
    return mount;
  }

  /** Takes the camera away and closes its clients. */
  unmount(path: string): void {
    this.#mounts.get(path)?.closeAll('unmounted');
    this.#mounts.delete(path);
  }

  /** Makes a fault begin, or with null end. Throws when there is no such mount. */
  setFault(path: string, fault: RtspFault | null): void {
    const mount = this.#mounts.get(path);
    if (mount === undefined) throw new RangeError(`no mount ${path}`);
    mount.setFault(fault);
  }

  #accept(socket: Socket): void {
    const connection = new RtspConnection({
      socket,
      findMount: (path) => this.#mounts.get(path),
      limits: { ...DEFAULT_LIMITS, ...this.#deps.config.limits },
      clock: this.#deps.clock,
      log: this.#deps.log,
    });
    connection.start();
  }
}
