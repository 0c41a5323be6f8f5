import { Compile } from 'typebox/compile';
import type { WebSocket } from 'ws';
import { encodePacket, KeyGate, type LivePacket } from '#grid/live/mod.ts';
import { type LiveBox, type LiveBoxes, type LiveCommand, type LiveEnded, type LiveStart, LiveViewers } from '#grid/wire/mod.ts';
import type { Clock, ErrorCode, Log } from '#service/mod.ts';
import type { TokenBucket } from '#service/mqtt/mod.ts';
import type { CameraPipeline } from '../cameras/mod.ts';
import type { EdgeLiveConfig } from './config.ts';
import type { LiveCounters } from './metrics.ts';
import { Raw } from './raw.ts';
import { RawViews, type RawViewTrail } from './raw_views.ts';
import type { LiveSink, LiveSource } from './sink.ts';
import { masked, Stills } from './stills.ts';

export interface StreamDeps {
  command: LiveCommand;
  socket: WebSocket;
  cameras: Pick<CameraPipeline, 'media' | 'watch' | 'zones'>;
  config: EdgeLiveConfig;
  /** Shared by all streams of this edge. */
  allowance: TokenBucket;
  trail: RawViewTrail;
  counters: LiveCounters;
  clock: Clock;
  log: Log;
  ffmpeg?: string | undefined;
}

/** Bytes that may wait in our memory for the line: two seconds of a stream; of single pictures just a few. */
const WAITING_BYTES_MAX = { fmp4: 1024 * 1024, mpeg1: 512 * 1024, jpeg: 64 * 1024 } as const;
/** The centre says who looks within so long, and pings more often than this. */
const SILENT_MS_MAX = 20_000;
const CLOSE_MS_MAX = 1_000;

const checkViewers = Compile(LiveViewers);

/**
 * One live view on its own connection to the centre. It shows something only while the centre names somebody who looks, and a raw
 * view only while one of them has a grant that is not over.
 */
export class LiveStream implements LiveSink {
  readonly #deps: StreamDeps;
  readonly #gate = new KeyGate();
  readonly #rawViews: RawViews;
  #source: LiveSource | null = null;
  #form: LiveStart['form'] = 'jpeg';
  #lastStart: Omit<LiveStart, 'zones'> | null = null;
  #zones: LiveStart['zones'] = [];
  #silence: NodeJS.Timeout | undefined;
  /** Ends a raw view with the last of its grants. */
  #end: NodeJS.Timeout | undefined;
  /** What is being written into the trail. */
  #writing: Promise<void> = Promise.resolve();
  #over = false;

  constructor(deps: StreamDeps) {
    this.#deps = deps;
    const { trail, log, command } = deps;
    this.#rawViews = new RawViews({ camera: command.camera, trail, log });
  }

  get camera(): string {
    return this.#deps.command.camera;
  }

  /** Resolves when the connection is closed and everything behind it has stopped. */
  async run(): Promise<void> {
    const { socket } = this.#deps;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('message', (data: Buffer, binary: boolean) => this.#hear(binary ? '' : data.toString('utf8')));
    socket.on('ping', () => this.#heard());
    this.#heard();
    await closed;
    this.#over = true;
    clearTimeout(this.#silence);
    clearTimeout(this.#end);
    await this.#source?.stop();
    await this.#writing;
    this.#rawViews.leave();
  }

  close(): void {
    const { socket } = this.#deps;
    socket.close(1000);
    const late = setTimeout(() => socket.terminate(), CLOSE_MS_MAX);
    socket.once('close', () => clearTimeout(late));
  }

  start({ form, codec, widthPx, heightPx }: Parameters<LiveSink['start']>[0]): void {
    const { camera, view } = this.#deps.command;
    this.#form = form;
    this.#gate.close();
    this.#lastStart = { type: 'start', camera, view, form, ...(codec === undefined ? {} : { codec }), widthPx, heightPx };
    this.#tellStart();
  }

  packet(packet: LivePacket): void {
    const { socket, allowance, counters, clock, command } = this.#deps;
    if (this.#over) return;
    const media = packet.kind === 'media';
    const passes = !media || this.#gate.passes(packet.key, socket.bufferedAmount, WAITING_BYTES_MAX[this.#form]);
    if (!passes || !allowance.tryTake(clock.monotonic(), packet.bytes.length)) {
      this.#gate.close();
      counters.dropped.inc({ view: command.view });
      return;
    }
    counters.bytes.inc({ view: command.view }, packet.bytes.length);
    socket.send(encodePacket(packet));
  }

  boxes(at: number, boxes: LiveBox[]): void {
    if (this.#lastStart === null || this.#over) return;
    const zones = this.#deps.cameras.zones(this.camera);
    // They were changed while somebody looks: the stream begins anew for everybody.
    if (zones !== null && zones !== this.#zones) this.#restart();
    else if (this.#gate.open) this.#say({ type: 'boxes', at, boxes } satisfies LiveBoxes);
  }

  unavailable(why: string): void {
    this.#finish('GEWU_LIVE_UNAVAILABLE', why);
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#deps.socket.terminate(), SILENT_MS_MAX);
  }

  #hear(text: string): void {
    const message = parsed(text);
    if (message === null) {
      this.#deps.log.warn({ camera: this.camera }, 'live: a message of the centre that is not understood here');
      return;
    }
    this.#heard();
    if (this.#over) return;
    if (this.#deps.command.view === 'masked') {
      if (message.viewers.length > 0) this.#begin();
      return;
    }
    // One after the other: each is written down before the next is heard.
    this.#writing = this.#writing
      .then(() => this.#granted(message.viewers))
      .catch((error: unknown) => {
        this.#deps.log.error({ camera: this.camera, err: error }, 'live: a raw view that cannot be written down is not shown');
        this.unavailable('the view cannot be written down');
      });
  }

  async #granted(all: LiveViewers['viewers']): Promise<void> {
    const now = this.#deps.clock.now();
    const viewers = all.filter(({ grant }) => grant !== undefined && grant.endsAt > now);
    await this.#rawViews.look(viewers);
    clearTimeout(this.#end);
    if (this.#over) return;
    if (viewers.length > 0) {
      const endsAt = Math.max(...viewers.map(({ grant }) => grant?.endsAt ?? 0));
      this.#end = setTimeout(() => this.#finish('GEWU_LIVE_OVER', 'the grant is over'), endsAt - now);
      this.#begin();
    } else if (this.#source !== null) this.#finish('GEWU_LIVE_OVER', 'nobody with a grant looks any more');
  }

  #begin(): void {
    if (this.#source !== null) return;
    const { command, cameras, config, clock, log, ffmpeg } = this.#deps;
    const { camera, view, plays } = command;
    if (cameras.zones(camera) === null) {
      this.unavailable(`camera ${camera} is not here`);
      return;
    }
    const common = { camera, cameras, sink: this, fpsMax: config.maskedFpsMax, clock, log };
    this.#source = view === 'masked' ? new Stills({ ...common, render: masked }) : new Raw({ ...common, plays, ffmpeg });
    this.#source.start();
  }

  #restart(): void {
    const { log } = this.#deps;
    const old = this.#source;
    this.#source = null;
    this.#lastStart = null;
    old?.stop().catch((error: unknown) => log.error({ camera: this.camera, err: error }, 'live: a source did not stop'));
    this.#begin();
  }

  #tellStart(): void {
    if (this.#lastStart === null) return;
    this.#zones = this.#deps.cameras.zones(this.camera) ?? [];
    const zones = this.#zones.map(({ id, polygon }) => ({ id, polygon }));
    this.#say({ ...this.#lastStart, zones } satisfies LiveStart);
  }

  #finish(code: ErrorCode, message: string): void {
    if (this.#over) return;
    this.#say({ type: 'ended', code, message } satisfies LiveEnded);
    this.close();
  }

  #say(message: object): void {
    const { socket } = this.#deps;
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  }
}

function parsed(text: string): LiveViewers | null {
  try {
    const message: unknown = JSON.parse(text);
    return checkViewers.Check(message) ? message : null;
  } catch {
    return null;
  }
}
