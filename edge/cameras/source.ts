import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, isGewuError, type Log, type Service } from '#service/mod.ts';
import { type CameraAddress, streamUrl } from './address.ts';
import { type FailureReason, failureOf, ffmpegArguments, type PictureFormat, withoutCredentials } from './arguments.ts';
import { BufferPool, type FullPicture, PpmReader, RawReader } from './frames.ts';
import { HttpStreamError, openHttpStream } from './http.ts';

/** One analysed picture: the model's input and the full picture of the same moment. Both go back by `release`. */
export interface Frame {
  input: ArrayBuffer;
  full: FullPicture;
  /** UTC ms and monotonic ms of its arrival. */
  at: number;
  ms: number;
}

export interface SourceDeps {
  camera: CameraAddress & Timing & { transport: 'tcp' | 'udp' };
  format: PictureFormat;
  log: Log;
  clock: Clock;
  /** `ffmpeg` unless told. */
  ffmpeg?: string;
  random?: () => number;
  /** `stallMs(camera)` unless told. */
  stallMsMax?: number;
  onFrame: (frame: Frame) => void;
  /** The stream broke, and why. It is started again without being asked. */
  onFailure: (reason: FailureReason) => void;
}

export const STALL_MS_MIN = 5000;
const FIRST_FRAME_MS_MAX = 15_000;
const WATCH_EVERY_MS = 250;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 30_000;
/** A stream that lived so long starts the backoff anew. */
const HEALTHY_MS = 10_000;
/** One output of ffmpeg may be ahead of the other by so many pictures. */
const UNPAIRED_MAX = 16;
const SPARE_MAX = 4;
const STDERR_CHARS_MAX = 4000;

/**
 * One camera's stream, kept alive: one ffmpeg, watched, killed when it shows nothing, started again with backoff.
 *
 *   address check --> spawn --> frames ... no frame for 5 s: SIGKILL --> exit (0 too is a failure) --> backoff --> again
 *
 * SIGKILL, because ffmpeg hangs on a frozen stream and ignores SIGTERM, its own timeout or not.
 */
export class FrameSource implements Service {
  readonly #deps: SourceDeps;
  readonly #inputs = new BufferPool<ArrayBuffer>((bytes) => new ArrayBuffer(bytes), SPARE_MAX);
  readonly #fulls = new BufferPool<Buffer>((bytes) => Buffer.allocUnsafeSlow(bytes), SPARE_MAX + 4);
  readonly #stallMs: number;
  #child: ChildProcess | null = null;
  #running = false;
  #failures = 0;
  #backoffMs = BACKOFF_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  /** Ends a stream that is being opened, or read here. */
  #opened = new AbortController();

  constructor(deps: SourceDeps) {
    this.#deps = deps;
    this.#stallMs = deps.stallMsMax ?? stallMs(deps.camera);
  }

  /** Begins to try; whether the camera answers is told by frames and failures. */
  async start(): Promise<void> {
    this.#running = true;
    void this.#attempt();
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#opened.abort();
    const child = this.#child;
    if (child === null) return;
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    await gone;
  }

  /** Times that the stream broke. */
  get failures(): number {
    return this.#failures;
  }

  /** Of the running ffmpeg. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Gives a frame's memory back for the next one. */
  release(frame: { input?: ArrayBuffer; full?: FullPicture }): void {
    if (frame.input !== undefined) this.#inputs.give(frame.input);
    if (frame.full !== undefined) this.#fulls.give(frame.full.rgb);
  }

  async #attempt(): Promise<void> {
    const { camera, log } = this.#deps;
    this.#opened = new AbortController();
    try {
      const url = await streamUrl(camera);
      const { signal } = this.#opened;
      const { allowLocalAddress } = camera;
      const pictures = url.startsWith('http') ? await openHttpStream({ url, allowLocalAddress, signal }) : null;
      if (this.#running) this.#run(url, pictures);
      else pictures?.destroy();
    } catch (error) {
      if (!this.#running) return;
      log.warn({ camera: camera.id, err: (error as Error).message }, 'camera address');
      const reason = isGewuError(error, 'GEWU_CAMERA_URL') ? 'address' : 'unreachable';
      this.#again(error instanceof HttpStreamError ? error.reason : reason, 0);
    }
  }

  /** `pictures` come from us, where ffmpeg does not fetch the stream itself. */
  #run(url: string, pictures: Readable | null): void {
    const { camera, format, clock, log } = this.#deps;
    const { fps, transport, keyFrameEveryS } = camera;
    const options = { fps, transport, keyFramesOnly: keyFrameEveryS !== undefined };
    const child = spawn(this.#deps.ffmpeg ?? 'ffmpeg', ffmpegArguments(pictures ? 'mjpeg' : { rtsp: url }, options, format), {
      stdio: [pictures ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'],
      // Nothing of ours is needed there, and nothing of it should change what ffmpeg does.
      env: { PATH: process.env.PATH ?? '', LANG: 'C' },
    });
    this.#child = child;
    // The end of either is the end of both; ffmpeg's is told below.
    if (pictures && child.stdin) pipeline(pictures, child.stdin).catch(() => child.kill('SIGKILL'));
    const startedMs = clock.monotonic();
    let lastMs: number | null = null;
    let stalled = false;
    let stderr = '';
    const watchdog = setInterval(() => {
      const silentMs = clock.monotonic() - (lastMs ?? startedMs);
      if (silentMs <= (lastMs === null ? Math.max(FIRST_FRAME_MS_MAX, this.#stallMs) : this.#stallMs)) return;
      stalled = true;
      child.kill('SIGKILL');
    }, WATCH_EVERY_MS);
    const fail = (error: unknown): void => {
      log.error({ camera: camera.id, err: error }, 'camera stream');
      child.kill('SIGKILL');
    };
    this.#read(child, fail, () => {
      lastMs = clock.monotonic();
      return lastMs;
    });
    child.stderr?.on('data', (text: Buffer) => {
      stderr = (stderr + text.toString('utf8')).slice(-STDERR_CHARS_MAX);
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      stderr += error.code === 'ENOENT' ? 'the program ffmpeg is missing (package ffmpeg)' : error.message;
      if (child.pid === undefined) child.emit('close', null, null);
    });
    child.once('close', (code: number | null) => {
      clearInterval(watchdog);
      this.#child = null;
      if (!this.#running) return;
      const livedMs = lastMs === null ? 0 : clock.monotonic() - startedMs;
      const reason = stalled ? 'stalled' : (failureOf(stderr) ?? (lastMs === null ? 'failed' : 'disconnected'));
      const said = withoutCredentials(stderr).trim().slice(-400);
      log.warn({ camera: camera.id, reason, exit: code, said }, 'camera stream ended');
      this.#again(reason, livedMs);
    });
  }

  /** Pairs the two outputs by their order. */
  #read(child: ChildProcess, fail: (error: unknown) => void, arrived: () => number): void {
    const { format, clock, onFrame } = this.#deps;
    const bytes = format.input.width * format.input.height * 3;
    const inputs: ArrayBuffer[] = [];
    const fulls: FullPicture[] = [];
    const pair = (): void => {
      if (inputs.length > UNPAIRED_MAX || fulls.length > UNPAIRED_MAX) fail(new Error('the outputs of ffmpeg do not pair'));
      while (inputs.length > 0 && fulls.length > 0) {
        const ms = arrived();
        onFrame({ input: inputs.shift() as ArrayBuffer, full: fulls.shift() as FullPicture, at: clock.now(), ms });
      }
    };
    const raw = new RawReader(bytes, () => this.#inputs.take(bytes));
    const ppm = new PpmReader((size) => this.#fulls.take(size));
    const guarded = (read: (chunk: Buffer) => void) => (chunk: Buffer) => {
      // What still comes out of a killed ffmpeg belongs to nobody.
      if (child !== this.#child || !this.#running) return;
      try {
        read(chunk);
        pair();
      } catch (error) {
        fail(error);
      }
    };
    (child.stdout as Readable).on(
      'data',
      guarded((chunk) => raw.push(chunk, (input) => inputs.push(input))),
    );
    (child.stdio[3] as Readable).on(
      'data',
      guarded((chunk) => ppm.push(chunk, (full) => fulls.push(full))),
    );
  }

  #again(reason: FailureReason, livedMs: number): void {
    if (!this.#running) return;
    this.#failures++;
    if (livedMs > HEALTHY_MS) this.#backoffMs = BACKOFF_MS_MIN;
    const waitMs = this.#backoffMs * (0.5 + (this.#deps.random ?? Math.random)());
    this.#backoffMs = Math.min(BACKOFF_MS_MAX, this.#backoffMs * 2);
    this.#timer = setTimeout(() => void this.#attempt(), waitMs);
    this.#deps.onFailure(reason);
  }
}

/** How often pictures are due: `fps` a second, and no oftener than key frames come where only these are decoded. */
export interface Timing {
  fps: number;
  keyFrameEveryS?: number | undefined;
}

/** ms between two pictures. */
export function pictureMs({ fps, keyFrameEveryS = 0 }: Timing): number {
  return 1000 * Math.max(1 / fps, keyFrameEveryS);
}

/** No picture for so long is a stalled stream: 5 s, or three pictures' time when that is longer. */
export function stallMs(timing: Timing): number {
  return Math.max(STALL_MS_MIN, 3 * pictureMs(timing));
}
