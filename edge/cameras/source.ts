import type { Clock, Log, Service } from '#service/mod.ts';
import { ChangedError, CodecError, type MediaRing } from '../media/mod.ts';
import { ffmpegArguments, type PictureFormat } from './arguments.ts';
import { BufferPool, RawReader, YuvReader } from './frames.ts';
import type { FullPicture } from './full_picture.ts';
import type { StreamAddress } from './open.ts';
import { type FailureReason, StreamError } from './reason.ts';
import { CameraStream, type OutputReader } from './stream.ts';

/** One analysed picture: the model's input and the full picture of the same moment. Both go back by `release`. */
export interface Frame {
  input: ArrayBuffer;
  full: FullPicture;
  /** UTC ms and monotonic ms of its arrival. */
  at: number;
  ms: number;
}

export interface SourceDeps {
  address: StreamAddress;
  timing: Timing;
  filesDir?: string | null | undefined;
  format: PictureFormat;
  log: Log;
  clock: Clock;
  /** Gets the stream as it comes beside the pictures. */
  media?: MediaRing | undefined;
  /** `ffmpeg` unless told. */
  ffmpeg?: string | undefined;
  random?: () => number;
  /** `stallMs(timing)` unless told. */
  stallMsMax?: number;
  onFrame: (frame: Frame) => void;
  /** A decoder has met what is no picture. */
  onDamage?: (() => void) | undefined;
  /** The stream broke, and why. It is started again without being asked. */
  onFailure: (reason: FailureReason) => void;
}

/** So that a stall is noticed, and told, within five seconds. */
export const STALL_MS_MIN = 4000;
/** One output of ffmpeg may be ahead of the other by so many pictures. */
const UNPAIRED_MAX = 16;
const SPARE_MAX = 4;

/** The pictures of one camera, out of one ffmpeg: two outputs that are paired by their order, and the stream itself as a third. */
export class FrameSource implements Service {
  readonly #deps: SourceDeps;
  readonly #stream: CameraStream;
  readonly #inputs = new BufferPool<ArrayBuffer>((bytes) => new ArrayBuffer(bytes), SPARE_MAX);
  readonly #fulls = new BufferPool<Buffer>((bytes) => Buffer.allocUnsafeSlow(bytes), SPARE_MAX + 4);
  #media: MediaRing | undefined;

  constructor(deps: SourceDeps) {
    const { address, timing, format, filesDir = null, stallMsMax = stallMs(timing), log, clock, ffmpeg, random } = deps;
    const { fps, keyFrameEveryS } = timing;
    this.#deps = deps;
    this.#media = deps.media;
    this.#stream = new CameraStream({
      address,
      filesDir,
      stallMsMax,
      open: (input, alive) => {
        const media = input === 'mjpeg' ? undefined : this.#media;
        const options = { fps, keyFramesOnly: keyFrameEveryS !== undefined, media: media !== undefined };
        const outputs = [...this.#pairs(alive), ...(media === undefined ? [] : [this.#copied(media)])];
        return { arguments: ffmpegArguments(input, options, format), outputs };
      },
      onDamage: deps.onDamage,
      onFailure: (reason) => this.#failed(reason),
      log,
      clock,
      ffmpeg,
      random,
    });
  }

  start(): Promise<void> {
    return this.#stream.start();
  }

  stop(): Promise<void> {
    return this.#stream.stop();
  }

  /** Times that the stream broke. */
  get failures(): number {
    return this.#stream.failures;
  }

  /** Of the running ffmpeg. */
  get pid(): number | null {
    return this.#stream.pid;
  }

  /** Gives a frame's memory back for the next one. */
  release(frame: { input?: ArrayBuffer; full?: FullPicture }): void {
    if (frame.input !== undefined) this.#inputs.give(frame.input);
    if (frame.full !== undefined) this.#fulls.give(frame.full.yuv);
  }

  #pairs(alive: () => void): [OutputReader, OutputReader] {
    const { format, clock, onFrame } = this.#deps;
    const bytes = format.input.width * format.input.height * 3;
    const inputs: ArrayBuffer[] = [];
    const fulls: FullPicture[] = [];
    const pair = (): void => {
      if (inputs.length > UNPAIRED_MAX || fulls.length > UNPAIRED_MAX) throw new Error('the outputs of ffmpeg do not pair');
      while (inputs.length > 0 && fulls.length > 0) {
        alive();
        const frame = { input: inputs.shift() as ArrayBuffer, full: fulls.shift() as FullPicture };
        onFrame({ ...frame, at: clock.now(), ms: clock.monotonic() });
      }
    };
    const raw = new RawReader(bytes, () => this.#inputs.take(bytes));
    const yuv = new YuvReader((size) => this.#fulls.take(size));
    return [
      (chunk) => {
        raw.push(chunk, (input) => inputs.push(input));
        pair();
      },
      (chunk) => {
        yuv.push(chunk, (full) => fulls.push(full));
        pair();
      },
    ];
  }

  /** Into the ring, until it shows that nobody could use it. */
  #copied(media: MediaRing): OutputReader {
    const push = media.begin();
    return (chunk) => {
      if (this.#media === undefined) return;
      try {
        push(chunk);
      } catch (error) {
        if (error instanceof ChangedError) throw new StreamError('changed', error.message, { cause: error });
        if (!(error instanceof CodecError)) throw error;
        this.#withoutMedia(error.message);
      }
    };
  }

  #failed(reason: FailureReason): void {
    if (reason === 'codec') this.#withoutMedia('ffmpeg cannot put it into an MP4');
    else this.#media?.end(reason);
    this.#deps.onFailure(reason);
  }

  /** Pictures are what matters: the camera goes on without its stream. */
  #withoutMedia(why: string): void {
    const { address, log } = this.#deps;
    log.warn({ camera: address.id, why }, 'this camera has no stream to show or to cut clips from');
    this.#media?.end('codec');
    this.#media = undefined;
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

/** ms between two pictures that the detector sees while nothing moves. */
export function lookMs(camera: Timing & { motion?: { lookEveryS: number } | undefined }): number {
  return Math.max(pictureMs(camera), 1000 * (camera.motion?.lookEveryS ?? 0));
}

/** No picture for so long is a stalled stream: 4 s, or three pictures' time when that is longer. */
export function stallMs(timing: Timing): number {
  return Math.max(STALL_MS_MIN, 3 * pictureMs(timing));
}
