import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, isGewuError, type Log, type Service } from '#service/mod.ts';
import type { StreamInput } from './arguments.ts';
import { type OpenStream, openStream, type StreamAddress } from './open.ts';
import { type FailureReason, failureOf, isRedirect, StreamError, withoutCredentials } from './reason.ts';

/** Takes what one output of ffmpeg writes; what it throws ends that ffmpeg. */
export type OutputReader = (chunk: Buffer) => void;

export interface StreamDeps {
  address: StreamAddress;
  /** The one folder out of which recordings are played. */
  filesDir: string | null;
  /** No sign of life for so long is a stalled stream. */
  stallMsMax: number;
  /** Of one ffmpeg, made for each anew: its arguments, and who reads its outputs pipe:1, pipe:3, pipe:4, ... in this order. */
  open: (input: StreamInput, alive: () => void) => { arguments: string[]; outputs: OutputReader[] };
  /** The stream broke, and why. It is started again without being asked. */
  onFailure: (reason: FailureReason) => void;
  log: Log;
  clock: Clock;
  /** `ffmpeg` unless told. */
  ffmpeg?: string | undefined;
  random?: (() => number) | undefined;
}

const FIRST_SIGN_MS_MAX = 15_000;
const WATCH_EVERY_MS = 250;
const BACKOFF_MS_MIN = 500;
/** A camera that is not there is looked for so often, by a connection and without an ffmpeg: it is seen again soon after it is back. */
const BACKOFF_MS_MAX = 4000;
/** One that answers and refuses is left in peace: it may lock out who asks too often. */
const REFUSED_BACKOFF_MS_MAX = 30_000;
const REFUSALS: readonly FailureReason[] = ['unauthorised', 'not_found', 'address', 'codec'];
/** A stream that lived so long starts the backoff anew. */
const HEALTHY_MS = 10_000;
const STDERR_CHARS_MAX = 4000;
/** The first two outputs are standard output and, after standard error, pipe:3. */
const STDERR = 2;

/**
 * One stream of one camera, kept alive: one ffmpeg, watched, killed when it shows nothing, started again with backoff.
 *
 *   address check --> spawn --> signs of life ... none for 4 s: SIGKILL --> exit (0 too is a failure) --> backoff --> again
 *
 * SIGKILL, because ffmpeg hangs on a frozen stream and ignores SIGTERM, its own timeout or not.
 */
export class CameraStream implements Service {
  readonly #deps: StreamDeps;
  #child: ChildProcess | null = null;
  #running = false;
  #failures = 0;
  #backoffMs = BACKOFF_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  /** Ends a stream that is being opened, or read here. */
  #opened = new AbortController();

  constructor(deps: StreamDeps) {
    this.#deps = deps;
  }

  /** Begins to try; whether the camera answers is told by its outputs and failures. */
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

  async #attempt(): Promise<void> {
    const { address, filesDir, log } = this.#deps;
    this.#opened = new AbortController();
    try {
      const opened = await openStream(address, { filesDir, signal: this.#opened.signal, probe: this.#failures > 0 });
      if (this.#running) this.#run(opened);
      else if (opened.feed instanceof Readable) opened.feed.destroy();
    } catch (error) {
      if (!this.#running) return;
      log.warn({ camera: address.id, err: (error as Error).message }, 'camera address');
      const reason = isGewuError(error, 'GEWU_CAMERA_URL') ? 'address' : 'unreachable';
      this.#again(error instanceof StreamError ? error.reason : reason, 0);
    }
  }

  #run({ input, feed }: OpenStream): void {
    const { address, clock, log, stallMsMax, open } = this.#deps;
    const startedMs = clock.monotonic();
    let lastMs: number | null = null;
    const alive = (): void => {
      lastMs = clock.monotonic();
    };
    const { arguments: list, outputs } = open(input, alive);
    const child = spawn(this.#deps.ffmpeg ?? 'ffmpeg', list, {
      stdio: [feed === null ? 'ignore' : 'pipe', 'pipe', 'pipe', ...outputs.slice(1).map(() => 'pipe' as const)],
      // Nothing of ours is needed there, and nothing of it should change what ffmpeg does.
      env: { PATH: process.env.PATH ?? '', LANG: 'C' },
    });
    this.#child = child;
    // The end of either is the end of both; ffmpeg's is told below.
    if (feed instanceof Readable && child.stdin) pipeline(feed, child.stdin).catch(() => child.kill('SIGKILL'));
    else child.stdin?.on('error', () => {}).end(feed);
    this.#read(child, outputs);
    let ended: FailureReason | null = null;
    let stderr = '';
    const end = (reason: FailureReason): void => {
      ended ??= reason;
      child.kill('SIGKILL');
    };
    const watchdog = setInterval(() => {
      const silentMs = clock.monotonic() - (lastMs ?? startedMs);
      if (silentMs <= (lastMs === null ? Math.max(FIRST_SIGN_MS_MAX, stallMsMax) : stallMsMax)) return;
      end('stalled');
    }, WATCH_EVERY_MS);
    child.stderr?.on('data', (text: Buffer) => {
      stderr = (stderr + text.toString('utf8')).slice(-STDERR_CHARS_MAX);
      if (isRedirect(stderr)) end('address');
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
      const reason = ended ?? failureOf(stderr) ?? (lastMs === null ? 'failed' : 'disconnected');
      const said = withoutCredentials(stderr).trim().slice(-400);
      log.warn({ camera: address.id, reason, exit: code, said }, 'camera stream ended');
      this.#again(reason, livedMs);
    });
  }

  #read(child: ChildProcess, outputs: readonly OutputReader[]): void {
    const { address, log } = this.#deps;
    for (const [n, read] of outputs.entries()) {
      const output = child.stdio[n === 0 ? 1 : n + STDERR] as Readable;
      output.on('data', (chunk: Buffer) => {
        // What still comes out of a killed ffmpeg belongs to nobody.
        if (child !== this.#child || !this.#running) return;
        try {
          read(chunk);
        } catch (error) {
          log.error({ camera: address.id, err: error }, 'camera stream');
          child.kill('SIGKILL');
        }
      });
    }
  }

  #again(reason: FailureReason, livedMs: number): void {
    if (!this.#running) return;
    this.#failures++;
    if (livedMs > HEALTHY_MS) this.#backoffMs = BACKOFF_MS_MIN;
    const waitMs = this.#backoffMs * (0.5 + (this.#deps.random ?? Math.random)());
    const backoffMsMax = REFUSALS.includes(reason) ? REFUSED_BACKOFF_MS_MAX : BACKOFF_MS_MAX;
    this.#backoffMs = Math.min(backoffMsMax, this.#backoffMs * 2);
    this.#timer = setTimeout(() => void this.#attempt(), waitMs);
    this.#deps.onFailure(reason);
  }
}
