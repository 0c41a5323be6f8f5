import { once } from 'node:events';
import { WebSocket } from 'ws';
import { LIVE_EDGE_PATH, LIVE_STREAM_HEADER, type LiveCommand, type LiveEnded } from '#grid/wire/mod.ts';
import type { Clock, ErrorCode, Log, Metrics, Service } from '#service/mod.ts';
import { type ClientTls, clientTlsOptions, TokenBucket } from '#service/mqtt/mod.ts';
import type { CameraPipeline } from '../cameras/mod.ts';
import type { EdgeLiveConfig } from './config.ts';
import { createLiveCounters, type LiveCounters } from './metrics.ts';
import type { RawViewTrail } from './raw_views.ts';
import { LiveStream } from './stream.ts';

export interface LiveDeps {
  edge: string;
  config: EdgeLiveConfig;
  /** Of the centre's API. */
  url: string;
  password: string;
  tls: ClientTls | undefined;
  cameras: Pick<CameraPipeline, 'media' | 'watch' | 'zones'>;
  trail: RawViewTrail;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** `ffmpeg` unless told. */
  ffmpeg?: string;
}

const DIAL_MS_MAX = 10_000;
/** The centre says little: who looks. */
const HEARD_BYTES_MAX = 512 * 1024;
/** Of the allowance, at once: what was kept since a key frame. */
const BURST_S = 4;
/** A refusal may take so long to be said. */
const REFUSAL_MS_MAX = 2_000;

/**
 * Live views of this edge. A command of the centre names a stream; the edge dials out, by a connection of its own beside the uplink,
 * and shows what is asked for while somebody looks. All views together stay below `bytesPerSMax`.
 */
export class LiveViews implements Service {
  readonly #deps: LiveDeps;
  readonly #counters: LiveCounters;
  readonly #allowance: TokenBucket;
  /** By the centre's name for it; null while it is dialled. */
  readonly #streams = new Map<string, LiveStream | null>();
  readonly #running = new Set<Promise<void>>();
  #stopping = false;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
    const { bytesPerSMax } = deps.config;
    this.#counters = createLiveCounters(deps.metrics, () => this.#streams.size);
    this.#allowance = new TokenBucket(bytesPerSMax, deps.clock.monotonic(), bytesPerSMax * BURST_S);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const stream of this.#streams.values()) stream?.close();
    await Promise.all(this.#running);
  }

  /** A command of the centre; the same one again changes nothing. */
  show(command: LiveCommand): void {
    if (this.#stopping || !this.#deps.config.enabled || this.#streams.has(command.stream)) return;
    const full = this.#streams.size >= this.#deps.config.streamsMax;
    if (!full) this.#streams.set(command.stream, null);
    const running = this.#run(command, full)
      .catch((error: Error) =>
        this.#deps.log.warn({ camera: command.camera, err: error.message }, 'live: the centre was not reached'),
      )
      .finally(() => {
        if (!full) this.#streams.delete(command.stream);
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async #run(command: LiveCommand, full: boolean): Promise<void> {
    const socket = await this.#dial(command);
    // One that breaks, or does not come about, is closed; its end tells.
    socket.on('error', (error) => this.#deps.log.warn({ camera: command.camera, err: error.message }, 'live: connection'));
    if (full) {
      await once(socket, 'open');
      await refuse(socket, 'GEWU_TOO_MANY_REQUESTS', 'the edge sends as many live views as it may');
      return;
    }
    const { cameras, config, trail, clock, log, ffmpeg } = this.#deps;
    const shared = { cameras, config, trail, clock, log, ffmpeg, counters: this.#counters, allowance: this.#allowance };
    const stream = new LiveStream({ ...shared, command, socket });
    this.#streams.set(command.stream, stream);
    // Who listens after it is open may miss what the centre says first.
    const done = stream.run();
    if (this.#stopping) stream.close();
    await done;
  }

  async #dial({ stream, url }: LiveCommand): Promise<WebSocket> {
    const { edge, password, tls } = this.#deps;
    const target = new URL(LIVE_EDGE_PATH, this.#allowed(url));
    target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(target, {
      ...((await clientTlsOptions(tls)) as object),
      headers: {
        authorization: `Basic ${Buffer.from(`${edge}:${password}`).toString('base64')}`,
        [LIVE_STREAM_HEADER]: stream,
      },
      perMessageDeflate: false,
      handshakeTimeout: DIAL_MS_MAX,
      maxPayload: HEARD_BYTES_MAX,
      followRedirects: false,
    });
  }

  /** Our password goes nowhere but where the configuration says, whoever has got hold of the broker. */
  #allowed(asked: string | undefined): string {
    const { url, config } = this.#deps;
    if (asked === undefined) return url;
    const { host, hostname, protocol } = new URL(asked);
    const known = host === new URL(url).host || config.hosts.includes(host) || config.hosts.includes(hostname);
    if (!known) throw new Error(`${host} is neither that of uplink.apiUrl nor one of live.hosts`);
    if (protocol === 'http:' && url.startsWith('https:')) throw new Error(`${asked} is without TLS`);
    return asked;
  }
}

async function refuse(socket: WebSocket, code: ErrorCode, message: string): Promise<void> {
  const closed = once(socket, 'close');
  socket.send(JSON.stringify({ type: 'ended', code, message } satisfies LiveEnded));
  const late = setTimeout(() => socket.terminate(), REFUSAL_MS_MAX);
  await closed;
  clearTimeout(late);
}
