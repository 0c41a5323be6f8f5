import { once } from 'node:events';
import type { Writable } from 'node:stream';
import Mpeg1Muxer from 'node-rtsp-stream/mpeg1muxer.js';
import type { Clock, Log } from '#service/mod.ts';
import type { MediaFragment, MediaInit } from '../media/mod.ts';
import { TransportReader } from './transport.ts';

export interface Mpeg1Deps {
  camera: string;
  onPiece: (bytes: Buffer, key: boolean) => void;
  /** It has ended by itself, or was ended because it hung: hand it the stream from a key fragment on, by `begin`. */
  onEnded: () => void;
  clock: Clock;
  log: Log;
  /** `ffmpeg` unless told. */
  ffmpeg?: string | undefined;
}

/** MPEG-1 knows few rates [ISO/IEC 11172-2, 2.4.3.2]; cameras are near this one, and what lacks is repeated. */
const FPS = '25';
const WIDTH_PX_MAX = 960;
const RATE = '1500k';
/** Half a second: who joins or falls behind waits no longer. */
const GROUP_PICTURES = '12';
/** Input that ffmpeg has not taken; beyond it fragments are left out until the next key. */
const INPUT_BYTES_MAX = 8 * 1024 * 1024;
/** Fed and silent for so long, it hangs. */
const STALL_MS = 5_000;
const WATCH_EVERY_MS = 500;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 30_000;
const HEALTHY_MS = 10_000;
const STDERR_CHARS_MAX = 2_000;

interface Running {
  muxer: InstanceType<typeof Mpeg1Muxer>;
  input: Writable;
  startedMs: number;
  fedMs: number;
  saidMs: number;
  /** Left something out: waits for a key. */
  behind: boolean;
}

/**
 * A camera's stream as MPEG-1, for browsers that cannot play it as it is. The muxer of node-rtsp-stream reads from us, not from the
 * camera: fragments go in at its standard input, so no second connection is made and no address or password stands in its arguments.
 *
 *   fragments --> ffmpeg (muxer) --> TransportReader --> pieces
 *                    |
 *                    +-- silent for 5 s: SIGKILL; ended: onEnded after a backoff
 */
export class Mpeg1 {
  readonly #deps: Mpeg1Deps;
  #running: Running | null = null;
  #watchdog: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #backoffMs = BACKOFF_MS_MIN;

  constructor(deps: Mpeg1Deps) {
    this.#deps = deps;
  }

  /** Of the running ffmpeg. */
  get pid(): number | null {
    return this.#running?.muxer.stream.pid ?? null;
  }

  /** Begins, or begins anew, with a stream whose first fragment is a key one. */
  begin(init: MediaInit, fragments: readonly MediaFragment[]): void {
    this.#drop();
    const { clock, ffmpeg = 'ffmpeg' } = this.#deps;
    const muxer = new Mpeg1Muxer({ url: 'pipe:0', ffmpegPath: ffmpeg, ffmpegOptions: outputOptions() });
    const ms = clock.monotonic();
    const running: Running = {
      muxer,
      input: muxer.stream.stdin as Writable,
      startedMs: ms,
      fedMs: ms,
      saidMs: ms,
      behind: false,
    };
    this.#running = running;
    this.#listen(running);
    this.#watchdog = setInterval(() => this.#watch(running), WATCH_EVERY_MS);
    running.input.write(init.bytes);
    for (const fragment of fragments) this.write(fragment);
  }

  write({ bytes, key }: MediaFragment): void {
    const running = this.#running;
    if (running === null) return;
    running.behind = running.input.writableLength > INPUT_BYTES_MAX || (running.behind && !key);
    if (running.behind) return;
    running.fedMs = this.#deps.clock.monotonic();
    running.input.write(bytes);
  }

  /** Resolves when its ffmpeg is gone. */
  async stop(): Promise<void> {
    const child = this.#running?.muxer.stream;
    this.#drop();
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await once(child, 'exit');
  }

  #drop(): void {
    clearTimeout(this.#again);
    clearInterval(this.#watchdog);
    this.#running?.muxer.stream.kill('SIGKILL');
    this.#running = null;
  }

  #listen(running: Running): void {
    const { camera, onPiece, clock, log } = this.#deps;
    const { muxer, input } = running;
    const child = muxer.stream;
    let said = '';
    const reader = new TransportReader(onPiece);
    muxer.on('mpeg1data', (chunk) => {
      if (this.#running !== running) return;
      running.saidMs = clock.monotonic();
      try {
        reader.push(chunk);
      } catch (error) {
        log.error({ camera, err: error }, 'live: MPEG-1');
        child.kill('SIGKILL');
      }
    });
    muxer.on('ffmpegStderr', (text) => {
      said = (said + text.toString('utf8')).slice(-STDERR_CHARS_MAX);
    });
    // EPIPE when it dies while it is fed; its end tells.
    input.on('error', () => {});
    child.once('error', (error) => {
      said += error.message;
      if (child.pid === undefined) child.emit('close', null, null);
    });
    child.once('close', () => {
      if (this.#running !== running) return;
      log.warn({ camera, said: said.trim().slice(-400) }, 'live: the MPEG-1 muxer ended');
      this.#ended(running);
    });
  }

  #watch({ muxer, fedMs, saidMs }: Running): void {
    if (fedMs - saidMs > STALL_MS) muxer.stream.kill('SIGKILL');
  }

  #ended({ startedMs }: Running): void {
    this.#drop();
    if (this.#deps.clock.monotonic() - startedMs > HEALTHY_MS) this.#backoffMs = BACKOFF_MS_MIN;
    this.#again = setTimeout(() => this.#deps.onEnded(), this.#backoffMs);
    this.#backoffMs = Math.min(BACKOFF_MS_MAX, this.#backoffMs * 2);
  }
}

function outputOptions(): Record<string, string> {
  return {
    '-loglevel': 'error',
    '-an': '',
    '-vf': `scale=w='min(iw\\,${WIDTH_PX_MAX})':h=-2`,
    '-r': FPS,
    '-g': GROUP_PICTURES,
    '-bf': '0',
    '-b:v': RATE,
    '-threads': '1',
    '-muxdelay': '0',
    '-flush_packets': '1',
  };
}
