import type { Clock, Log, Service } from '#service/mod.ts';
import { ChangedError, CodecError, type MediaRing } from '../media/mod.ts';
import { copyArguments } from './arguments.ts';
import type { StreamAddress } from './open.ts';
import { type FailureReason, StreamError } from './reason.ts';
import { STALL_MS_MIN } from './source.ts';
import { CameraStream } from './stream.ts';

export interface MainStreamDeps {
  address: StreamAddress;
  filesDir: string | null;
  ring: MediaRing;
  /** The stream broke, and why. It is started again without being asked. */
  onFailure: (reason: FailureReason) => void;
  log: Log;
  clock: Clock;
  ffmpeg?: string | undefined;
}

/** The main stream of a camera whose smaller one is analysed: an ffmpeg of its own that decodes nothing and fills the ring. */
export class MainStream implements Service {
  readonly #deps: MainStreamDeps;
  readonly #stream: CameraStream;

  constructor(deps: MainStreamDeps) {
    const { address, filesDir, ring, log, clock, ffmpeg } = deps;
    this.#deps = deps;
    this.#stream = new CameraStream({
      address,
      filesDir,
      stallMsMax: STALL_MS_MIN,
      open: (input, alive) => {
        const push = ring.begin();
        const read = (chunk: Buffer): void => {
          alive();
          this.#guarded(() => push(chunk));
        };
        return { arguments: copyArguments(input), outputs: [read] };
      },
      onFailure: (reason) => this.#failed(reason),
      log,
      clock,
      ffmpeg,
    });
  }

  start(): Promise<void> {
    return this.#stream.start();
  }

  stop(): Promise<void> {
    return this.#stream.stop();
  }

  #guarded(push: () => void): void {
    try {
      push();
    } catch (error) {
      if (error instanceof ChangedError) throw new StreamError('changed', error.message, { cause: error });
      if (!(error instanceof CodecError)) throw error;
      this.#failed('codec');
    }
  }

  /** What an MP4 cannot hold will not get better by trying again. */
  #failed(reason: FailureReason): void {
    const { ring, onFailure } = this.#deps;
    if (reason === 'codec') void this.#stream.stop();
    ring.end(reason);
    onFailure(reason);
  }
}
