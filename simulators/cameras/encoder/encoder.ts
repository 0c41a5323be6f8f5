import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { type Clock, GewuError, type Log, type Service } from '#service/mod.ts';
import type { AccessUnit } from '../rtsp/mod.ts';
import { FlvReader } from './flv.ts';

export interface EncoderConfig {
  widthPx: number;
  heightPx: number;
  fps: number;
  /** Constant rate factor of x264, lower is better; 24 unless told. */
  crf?: number;
  /** Peak, kbit/s; 800 unless told. */
  rateKbitMax?: number;
  /** Program; `ffmpeg` unless told. */
  ffmpeg?: string;
  /** A frame that is not coded after so long: ffmpeg hangs. Five seconds where not given. */
  hungMs?: number;
}

export interface EncoderDeps {
  config: EncoderConfig;
  log: Log;
  clock: Clock;
  /** Each coded picture, in order, as soon as ffmpeg has written it. */
  onUnit: (unit: AccessUnit) => void;
}

export interface EncoderStats {
  framesIn: number;
  unitsOut: number;
  /** Times that ffmpeg ended by itself or was ended because it hung. */
  failures: number;
  /** Of the running ffmpeg. */
  pid: number | null;
}

type Ffmpeg = ChildProcessByStdio<Writable, Readable, Readable>;

const CRF = 24;
const RATE_KBIT_MAX = 800;
const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 10_000;
/** An ffmpeg that ran for so long starts the backoff anew. */
const HEALTHY_MS = 10_000;
const HUNG_MS = 5_000;

/**
 * H.264 by one ffmpeg, one picture out for each picture in, restarted with backoff when it dies or hangs.
 * At most one frame is with ffmpeg at a time: `ready` says whether the next may come.
 */
export class H264Encoder implements Service {
  readonly #deps: EncoderDeps;
  #child: Ffmpeg | null = null;
  #reader = new FlvReader();
  #inFlightMs: number | null = null;
  #startedMs = 0;
  #backoffMs = BACKOFF_MS_MIN;
  #restart: NodeJS.Timeout | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #running = false;
  readonly #stats = { framesIn: 0, unitsOut: 0, failures: 0 };

  constructor(deps: EncoderDeps) {
    this.#deps = deps;
  }

  /** Resolves when ffmpeg runs. Throws GEWU_MISSING_PROGRAM. */
  async start(): Promise<void> {
    this.#running = true;
    const child = this.#spawn();
    try {
      await once(child, 'spawn');
    } catch (error) {
      await this.stop();
      const text = `${this.#program()}: ${(error as Error).message} (package ffmpeg)`;
      throw new GewuError('GEWU_MISSING_PROGRAM', text, { cause: error });
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#restart);
    clearTimeout(this.#watchdog);
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    // It holds nothing worth waiting for, and a blocked ffmpeg does not heed SIGTERM.
    child.kill('SIGKILL');
    await exited;
  }

  /** Whether `encode` would take a frame now. */
  get ready(): boolean {
    return this.#child !== null && this.#inFlightMs === null;
  }

  /**
   * Hands one RGBA frame to ffmpeg, which must stay unchanged until `ready` is true again.
   * `capturedMs` is of the monotonic clock. False when it was not taken.
   */
  encode(rgba: Uint8Array, capturedMs: number): boolean {
    const { widthPx, heightPx } = this.#deps.config;
    if (rgba.length !== widthPx * heightPx * 4) throw new RangeError(`frame of ${rgba.length} B`);
    if (!this.ready || this.#child === null) return false;
    this.#inFlightMs = capturedMs;
    this.#stats.framesIn++;
    const child = this.#child;
    this.#watchdog = setTimeout(() => child.kill('SIGKILL'), this.#deps.config.hungMs ?? HUNG_MS);
    child.stdin.write(rgba);
    return true;
  }

  get stats(): EncoderStats {
    return { ...this.#stats, pid: this.#child?.pid ?? null };
  }

  #program(): string {
    return this.#deps.config.ffmpeg ?? 'ffmpeg';
  }

  #spawn(): Ffmpeg {
    // A group of its own: Ctrl-C is for us, and we end it. Should we die first, the end of its input ends it.
    const options = { stdio: ['pipe', 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe'], detached: true };
    const child = spawn(this.#program(), ffmpegArguments(this.#deps.config), options);
    this.#child = child;
    this.#reader = new FlvReader();
    this.#inFlightMs = null;
    this.#startedMs = this.#deps.clock.monotonic();
    child.stdout.on('data', (chunk: Buffer) => this.#read(child, chunk));
    child.stderr.on('data', (text: Buffer) => this.#deps.log.warn({ ffmpeg: text.toString('utf8').slice(0, 500) }, 'encoder'));
    // EPIPE when ffmpeg dies while a frame is written; its exit tells.
    child.stdin.on('error', () => {});
    child.once('error', () => this.#ended(child));
    child.once('exit', () => this.#ended(child));
    return child;
  }

  #read(child: Ffmpeg, chunk: Buffer): void {
    if (child !== this.#child) return;
    try {
      for (const picture of this.#reader.push(chunk)) {
        const capturedMs = this.#inFlightMs ?? this.#deps.clock.monotonic();
        this.#inFlightMs = null;
        clearTimeout(this.#watchdog);
        this.#stats.unitsOut++;
        this.#deps.onUnit({ ...picture, capturedMs });
      }
    } catch (error) {
      this.#deps.log.error({ err: error }, 'encoder output');
      child.kill('SIGKILL');
    }
  }

  #ended(child: Ffmpeg): void {
    if (child !== this.#child) return;
    this.#child = null;
    clearTimeout(this.#watchdog);
    if (!this.#running) return;
    this.#stats.failures++;
    if (this.#deps.clock.monotonic() - this.#startedMs > HEALTHY_MS) this.#backoffMs = BACKOFF_MS_MIN;
    this.#deps.log.warn({ exit: child.exitCode, signal: child.signalCode, againInMs: this.#backoffMs }, 'encoder ended');
    this.#restart = setTimeout(() => this.#spawn(), this.#backoffMs);
    this.#backoffMs = Math.min(BACKOFF_MS_MAX, this.#backoffMs * 2);
  }
}

function ffmpegArguments(config: EncoderConfig): string[] {
  const { widthPx, heightPx, fps, crf = CRF, rateKbitMax = RATE_KBIT_MAX } = config;
  const group = String(Math.max(1, Math.round(fps)));
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin'],
    // Without a small probe size ffmpeg waits for more frames before it codes the first.
    ...['-probesize', '32', '-f', 'rawvideo', '-pix_fmt', 'rgba', '-video_size', `${widthPx}x${heightPx}`],
    ...['-framerate', String(fps), '-i', 'pipe:0', '-an'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p'],
    ...['-threads', '1', '-g', group, '-keyint_min', group, '-sc_threshold', '0', '-bf', '0'],
    ...['-crf', String(crf), '-maxrate', `${rateKbitMax}k`, '-bufsize', `${rateKbitMax}k`],
    ...['-flvflags', 'no_duration_filesize', '-flush_packets', '1', '-f', 'flv', 'pipe:1'],
  ];
}
