import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { decodePacket } from '#grid/live/mod.ts';
import { checkEdgeLive, type EdgeLive, type LiveForm, type LiveOpen, type LiveStart, type LiveViewers } from '#grid/wire/mod.ts';
import { type Clock, ERRORS, type ErrorCode, type Log } from '#service/mod.ts';
import { TokenBucket } from '#service/mqtt/mod.ts';
import type { CommandSender } from '../ports.ts';
import type { LiveConfig } from './config.ts';
import type { LiveCounters } from './metrics.ts';
import type { LiveViewer } from './viewer.ts';

export interface RelayDeps {
  edge: string;
  wanted: Pick<LiveOpen, 'camera' | 'view' | 'plays'>;
  config: LiveConfig;
  commands: CommandSender;
  counters: LiveCounters;
  clock: Clock;
  log: Log;
  /** Offered each masked picture. */
  onStill: (at: number, jpeg: Uint8Array) => void;
  /** Nobody looks any more, or nothing can be seen. */
  onOver: () => void;
}

/** The command is repeated while the edge does not come: it is sent once, and may be lost. */
const ASK_AGAIN_MS = 2_000;
/** An edge that does not come in this time is not there. */
const WAIT_MS_MAX = 20_000;
const NOT_COME =
  'the edge does not come: look at its uplink; with several replicas set live.edgeUrl of each, and live.hosts of the edge';
/** The stream goes on for so long without a viewer: somebody reloads his page. */
const LINGER_MS = 2_000;
/** What has come since the last key, for who joins: beyond it he waits for the next one. */
const GROUP_BYTES_MAX = 4 * 1024 * 1024;
/** An edge may send at once what it has kept since its last key frame. */
const BURST_S = 5;
const SILENT_BEATS_MAX = 2;

/**
 * One stream of one edge, shown to everybody who looks at it.
 *
 *   first viewer --> command --> edge dials --> start, boxes, packets --> each viewer's socket (bounded)
 *   last viewer leaves --> 2 s --> the edge's socket is closed, and with it the stream ends there
 */
export class LiveRelay {
  /** Names the stream; only who was told it can dial in for it. */
  readonly id = randomBytes(16).toString('base64url');
  readonly deps: RelayDeps;
  readonly #viewers = new Set<LiveViewer>();
  #edge: WebSocket | null = null;
  #start: { text: string; form: LiveForm } | null = null;
  #init: Uint8Array | null = null;
  #group: Uint8Array[] = [];
  #groupBytes = 0;
  /** Bytes that the edge may send. */
  #allowance: TokenBucket;
  #waitingSinceMs: number;
  #silentBeats = 0;
  #ask: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  #over = false;

  constructor(deps: RelayDeps) {
    this.deps = deps;
    this.#waitingSinceMs = deps.clock.monotonic();
    this.#allowance = this.#newAllowance();
  }

  get viewers(): ReadonlySet<LiveViewer> {
    return this.#viewers;
  }

  join(viewer: LiveViewer): void {
    clearTimeout(this.#linger);
    this.#viewers.add(viewer);
    viewer.state(this.#start === null ? 'waiting' : 'playing');
    if (this.#start !== null) this.#replay(viewer, this.#start);
    if (this.#edge === null && this.#ask === undefined) this.#askEdge();
    this.#tellViewers();
  }

  leave(viewer: LiveViewer): void {
    if (!this.#viewers.delete(viewer) || this.#over) return;
    this.#tellViewers();
    if (this.#viewers.size === 0) this.#linger = setTimeout(() => this.close(), LINGER_MS);
  }

  /** The edge has dialled in. A second time: the first connection is dead and nobody has told us yet. */
  attach(socket: WebSocket): void {
    this.#edge?.terminate();
    this.#edge = socket;
    clearTimeout(this.#ask);
    this.#ask = undefined;
    this.#silentBeats = 0;
    this.#allowance = this.#newAllowance();
    socket.on('pong', () => {
      this.#silentBeats = 0;
    });
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (this.#edge !== socket) return;
      if (!this.#allowance.tryTake(this.deps.clock.monotonic(), data.length)) {
        this.#breach('more than it may send');
        return;
      }
      this.deps.counters.bytes.inc({ direction: 'in' }, data.length);
      if (binary) this.#packet(data);
      else this.#message(data.toString('utf8'));
    });
    socket.once('close', () => this.#lost(socket));
    this.#tellViewers();
  }

  /** Called now and then: an edge that is silent is dropped, one that does not come is given up. */
  beat(): void {
    const waitedMs = this.deps.clock.monotonic() - this.#waitingSinceMs;
    if (this.#edge === null) {
      if (waitedMs > WAIT_MS_MAX) this.end('GEWU_LIVE_UNAVAILABLE', NOT_COME, 'retry');
    } else if (this.#silentBeats++ >= SILENT_BEATS_MAX) this.#edge.terminate();
    else this.#edge.ping();
  }

  /** Tells every viewer why, and ends. */
  end(code: ErrorCode, message: string, remedy: 'reject' | 'retry'): void {
    for (const viewer of this.#viewers) viewer.end(code, message, remedy);
    this.close();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#ask);
    clearTimeout(this.#linger);
    this.#edge?.close(1000, 'nobody looks');
    this.deps.onOver();
  }

  #askEdge(): void {
    const { edge, wanted, config, commands, clock } = this.deps;
    const url = config.edgeUrl === undefined ? {} : { url: config.edgeUrl };
    commands.send(edge, { command: 'live', stream: this.id, ...wanted, ...url, ts: clock.now() });
    this.#ask = setTimeout(() => this.#askEdge(), ASK_AGAIN_MS);
  }

  #lost(socket: WebSocket): void {
    if (this.#edge !== socket) return;
    this.#edge = null;
    this.#start = null;
    this.#forget();
    if (this.#over) return;
    this.#waitingSinceMs = this.deps.clock.monotonic();
    for (const viewer of this.#viewers) viewer.state('waiting');
    // Not at once: an edge that cannot hold the connection would be asked all the time.
    this.#ask = setTimeout(() => this.#askEdge(), ASK_AGAIN_MS / 2);
  }

  #message(text: string): void {
    const message = parsed(text);
    if (message === null) this.#breach('a message that is none');
    else if (message.type === 'start') this.#begin(text, message);
    else if (message.type === 'ended')
      this.end(message.code in ERRORS ? (message.code as ErrorCode) : 'GEWU_LIVE_UNAVAILABLE', message.message, 'retry');
    else for (const viewer of this.#viewers) viewer.boxes(text);
  }

  #begin(text: string, { camera, view, form }: LiveStart): void {
    const { wanted } = this.deps;
    if (camera !== wanted.camera || view !== wanted.view) {
      this.#breach('another stream than was asked for');
      return;
    }
    this.#start = { text, form };
    this.#forget();
    for (const viewer of this.#viewers) {
      viewer.start(text, form);
      viewer.state('playing');
    }
  }

  #packet(data: Buffer): void {
    const packet = decodePacket(data);
    if (packet === null || this.#start === null) {
      this.#breach('a packet that is none');
      return;
    }
    if (packet.kind === 'init') this.#init = data;
    else {
      this.#keep(data, packet.key);
      if (this.deps.wanted.view === 'masked' && this.#start.form === 'jpeg') this.deps.onStill(packet.at, packet.bytes);
    }
    for (const viewer of this.#viewers) viewer.show(data, packet);
  }

  #keep(data: Buffer, key: boolean): void {
    if (key) [this.#group, this.#groupBytes] = [[], 0];
    else if (this.#group.length === 0) return;
    this.#groupBytes += data.length;
    if (this.#groupBytes > GROUP_BYTES_MAX) [this.#group, this.#groupBytes] = [[], 0];
    else this.#group.push(data);
  }

  #replay(viewer: LiveViewer, { text, form }: { text: string; form: LiveForm }): void {
    viewer.start(text, form);
    if (this.#init !== null) viewer.show(this.#init, { kind: 'init', key: true });
    for (const [n, packet] of this.#group.entries()) viewer.show(packet, { kind: 'media', key: n === 0 });
  }

  #forget(): void {
    this.#init = null;
    [this.#group, this.#groupBytes] = [[], 0];
  }

  #newAllowance(): TokenBucket {
    const { config, clock } = this.deps;
    return new TokenBucket(config.streamBytesPerSMax, clock.monotonic(), config.streamBytesPerSMax * BURST_S);
  }

  /** What an edge of ours never does. */
  #breach(what: string): void {
    const { edge, wanted, log } = this.deps;
    log.error({ edge, camera: wanted.camera, what }, 'live: the edge breaks the rules');
    this.end('GEWU_LIVE_UNAVAILABLE', 'what the edge sends cannot be shown', 'retry');
  }

  #tellViewers(): void {
    if (this.#edge === null || this.#edge.readyState !== this.#edge.OPEN) return;
    const viewers = [...this.#viewers].map(({ deps: { account, grant } }) =>
      grant === null ? { account: account.id } : { account: account.id, grant: { ...grant, roles: [...account.roles] } },
    );
    this.#edge.send(JSON.stringify({ type: 'viewers', viewers } satisfies LiveViewers));
  }
}

function parsed(text: string): EdgeLive | null {
  try {
    const message: unknown = JSON.parse(text);
    return checkEdgeLive.Check(message) ? message : null;
  } catch {
    return null;
  }
}
