import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, isGewuError, type Log, type Service, WakingTime } from '#service/mod.ts';
import type { StreamInput } from './arguments.ts';
import { type OpenStream, openStream, type StreamAddress } from './open.ts';
import { type InputPipe, openPipes } from './pipes.ts';
import { type FailureReason, failureOf, isDamage, isRedirect, StreamError, sizeIn, withoutCredentials } from './reason.ts';

/** Takes what one output of ffmpeg writes, in memory that is used again when it returns; what it throws ends that ffmpeg, a StreamError by name. */
export type OutputReader = (chunk: Buffer) => void;

export interface StreamRun {
  arguments: string[];
  outputs: OutputReader[];
}

interface Signs {
  startedMs: number;
  lastMs: number | null;
  ended: FailureReason | null;
  /** Its last words, and what has come of the line that it is writing. */
  stderr: string;
  line: string;
  /** Of the first pictures; since when they have another, waking ms. */
  size: string | null;
  otherSizeMs: number | null;
}

export interface StreamDeps {
  address: StreamAddress;
  /** The one folder out of which recordings are played. */
  filesDir: string | null;
  /** No sign of life for so long is a stalled stream. */
  stallMsMax: number;
  /** Of one ffmpeg, made for each anew: its arguments, and who reads its outputs pipe:1, pipe:3, pipe:4, ... in this order. */
  open: (input: StreamInput, alive: () => void) => StreamRun;
  /** A decoder has met what is no picture: bits were flipped, or lost. */
  onDamage?: (() => void) | undefined;
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
const BACKOFF_MS_MAX = 2500;
/** One that answers and refuses is left in peace: it may lock out who asks too often. */
const REFUSED_BACKOFF_MS_MAX = 30_000;
const REFUSALS: readonly FailureReason[] = ['unauthorised', 'not_found', 'address', 'codec'];
/** A stream that lived so long starts the backoff anew. */
const HEALTHY_MS = 10_000;
/** Pictures of another size for so long are no flipped bits: the stream is another one. */
const CHANGED_MS = 3000;
const STDERR_CHARS_MAX = 4000;
const SILENT = { stderr: '', line: '', size: null, otherSizeMs: null } as const satisfies Partial<Signs>;

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
  /** Its signs go by it: what it sent while we stood still is no silence of its own. */
  readonly #waking = new WakingTime(WATCH_EVERY_MS);
  /** Of the ffmpeg that runs, or ran last: its beginning and last sign of life, waking ms; why we ended it; what it said. */
  readonly #signs: Signs = { startedMs: 0, lastMs: null, ended: null, ...SILENT };
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
      const run = this.#deps.open(opened.input, () => this.#alive());
      const pipes = await openPipes(run.outputs.length);
      if (this.#running) this.#run(run, opened.feed, pipes);
      else {
        if (opened.feed instanceof Readable) opened.feed.destroy();
        for (const pipe of pipes) pipe.close();
      }
    } catch (error) {
      if (!this.#running) return;
      log.warn({ camera: address.id, err: (error as Error).message }, 'camera address');
      const reason = isGewuError(error, 'GEWU_CAMERA_URL') ? 'address' : 'unreachable';
      this.#again(error instanceof StreamError ? error.reason : reason);
    }
  }

  #run(run: StreamRun, feed: OpenStream['feed'], pipes: readonly InputPipe[]): void {
    const { address, log } = this.#deps;
    Object.assign(this.#signs, { startedMs: this.#wakingMs(), lastMs: null, ended: null, ...SILENT });
    const [first, ...others] = pipes.map(({ childFd }) => childFd);
    const child = spawn(this.#deps.ffmpeg ?? 'ffmpeg', run.arguments, {
      stdio: [feed === null ? 'ignore' : 'pipe', first, 'pipe', ...others],
      // Nothing of ours is needed there, and nothing of it should change what ffmpeg does.
      env: { PATH: process.env.PATH ?? '', LANG: 'C' },
    });
    this.#child = child;
    // What it leaves unread when it dies resets the pipe, also when we are through with it; its end is told below.
    child.stdin?.on('error', () => {});
    // The end of either is the end of both.
    if (feed instanceof Readable && child.stdin) pipeline(feed, child.stdin).catch(() => child.kill('SIGKILL'));
    else child.stdin?.end(feed);
    for (const [n, read] of run.outputs.entries()) pipes[n]?.begin((chunk) => this.#read(child, read, chunk));
    const watchdog = setInterval(() => this.#watch(), WATCH_EVERY_MS);
    child.stderr?.on('data', (text: Buffer) => this.#listen(text.toString('utf8')));
    child.once('error', (error: NodeJS.ErrnoException) => {
      this.#signs.stderr += error.code === 'ENOENT' ? 'the program ffmpeg is missing (package ffmpeg)' : error.message;
      if (child.pid === undefined) child.emit('close', null, null);
    });
    child.once('close', (code: number | null) => {
      clearInterval(watchdog);
      for (const pipe of pipes) pipe.close();
      this.#child = null;
      if (!this.#running) return;
      const { ended, stderr, lastMs } = this.#signs;
      const reason = ended ?? failureOf(stderr) ?? (lastMs === null ? 'failed' : 'disconnected');
      const said = withoutCredentials(stderr).trim().slice(-400);
      log.warn({ camera: address.id, reason, exit: code, said }, 'camera stream ended');
      this.#again(reason);
    });
  }

  #wakingMs(): number {
    return this.#waking.at(this.#deps.clock.monotonic());
  }

  #alive(): void {
    this.#signs.lastMs = this.#wakingMs();
  }

  #watch(): void {
    const { stallMsMax } = this.#deps;
    const { startedMs, lastMs, otherSizeMs } = this.#signs;
    const now = this.#wakingMs();
    if (otherSizeMs !== null && now - otherSizeMs > CHANGED_MS) this.#end('changed');
    const patienceMs = lastMs === null ? Math.max(FIRST_SIGN_MS_MAX, stallMsMax) : stallMsMax;
    if (now - (lastMs ?? startedMs) > patienceMs) this.#end('stalled');
  }

  #listen(text: string): void {
    const { onDamage } = this.#deps;
    const signs = this.#signs;
    const lines = (signs.line + text).split('\n');
    signs.line = (lines.pop() as string).slice(-STDERR_CHARS_MAX);
    for (const line of lines) {
      const size = sizeIn(line);
      if (size !== null) {
        signs.size ??= size;
        signs.otherSizeMs = size === signs.size ? null : this.#wakingMs();
      }
      if (isRedirect(line)) this.#end('address');
      if (isDamage(line)) onDamage?.();
      // What it says in detail is of no use to anybody afterwards.
      if (!line.includes('[verbose]')) signs.stderr = `${signs.stderr}${line}\n`.slice(-STDERR_CHARS_MAX);
    }
  }

  #end(reason: FailureReason): void {
    this.#signs.ended ??= reason;
    this.#child?.kill('SIGKILL');
  }

  #read(child: ChildProcess, read: OutputReader, chunk: Buffer): void {
    // What still comes out of a killed ffmpeg belongs to nobody.
    if (child !== this.#child || !this.#running) return;
    try {
      read(chunk);
    } catch (error) {
      if (error instanceof StreamError) this.#end(error.reason);
      else {
        this.#deps.log.error({ camera: this.#deps.address.id, err: error }, 'camera stream');
        child.kill('SIGKILL');
      }
    }
  }

  #again(reason: FailureReason): void {
    if (!this.#running) return;
    this.#failures++;
    const { startedMs, lastMs } = this.#signs;
    const livedMs = lastMs === null ? 0 : this.#wakingMs() - startedMs;
    this.#signs.lastMs = null;
    if (livedMs > HEALTHY_MS) this.#backoffMs = BACKOFF_MS_MIN;
    const waitMs = this.#backoffMs * (0.5 + (this.#deps.random ?? Math.random)());
    const backoffMsMax = REFUSALS.includes(reason) ? REFUSED_BACKOFF_MS_MAX : BACKOFF_MS_MAX;
    this.#backoffMs = Math.min(backoffMsMax, this.#backoffMs * 2);
    this.#timer = setTimeout(() => void this.#attempt(), waitMs);
    this.#deps.onFailure(reason);
  }
}
