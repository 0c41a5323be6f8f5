import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Detection, LoadedModel } from '#models/mod.ts';
import { type Clock, GewuError, type Log, type Service } from '#service/mod.ts';
import type { WorkerAnswer, WorkerInput, WorkerRequest } from './worker.ts';

/**
 * N threads that look at pictures. A lane is one camera: it has at most one picture with a worker and one waiting.
 *
 *   lane.offer(frame) --waits, the newest wins--> turn --> worker --> lane.onDone(detections), frame free again
 *
 * Lanes get their turn in the order in which their pictures began to wait, so no camera starves another, and the whole
 * queue is bounded by the number of lanes.
 */
export interface LaneFrame {
  /** The model's input; comes back by `onFree`, possibly as another object over the same memory. */
  input: ArrayBuffer;
}

export interface LaneHandlers<F extends LaneFrame> {
  onDone(frame: F, detections: Detection[], inferenceMs: number): void;
  /** Replaced by a newer one, or its worker died or failed; the input can be used again unless it is detached. */
  onDropped(frame: F, reason: 'replaced' | 'failed'): void;
}

export interface InferenceDeps {
  model: LoadedModel;
  workers: number;
  log: Log;
  clock: Clock;
  /** Seam for tests that kill one. */
  createWorker?: (data: WorkerInput) => Worker;
}

/** Detections down to this share of their class's threshold are kept for tracks that exist already. */
export const WEAK_FACTOR = 0.5;
const START_MS_MAX = 30_000;
/** A worker that needs longer for one picture is taken for dead. */
const INFERENCE_MS_MAX = 10_000;
const END_MS_MAX = 3000;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 30_000;

/** One camera's place in the queue. */
export class InferenceLane<F extends LaneFrame = LaneFrame> {
  readonly #handlers: LaneHandlers<F>;
  readonly #wait: (lane: InferenceLane<F>) => void;
  #waiting: F | null = null;
  #busy = false;

  constructor(handlers: LaneHandlers<F>, wait: (lane: InferenceLane<F>) => void) {
    this.#handlers = handlers;
    this.#wait = wait;
  }

  /** Hands in the newest picture; one that still waits is dropped for it. */
  offer(frame: F): void {
    const old = this.#waiting;
    this.#waiting = frame;
    if (old !== null) this.#handlers.onDropped(old, 'replaced');
    else if (!this.#busy) this.#wait(this);
  }

  /** Forgets the waiting picture. */
  clear(): void {
    const old = this.#waiting;
    this.#waiting = null;
    if (old !== null) this.#handlers.onDropped(old, 'replaced');
  }

  /** For the pool: the picture whose turn it is. */
  take(): F | null {
    const frame = this.#waiting;
    this.#waiting = null;
    if (frame !== null) this.#busy = true;
    return frame;
  }

  /** For the pool: the picture that was taken is through. */
  settle(frame: F, result: { detections: Detection[]; inferenceMs: number } | null): void {
    this.#busy = false;
    if (result === null) this.#handlers.onDropped(frame, 'failed');
    else this.#handlers.onDone(frame, result.detections, result.inferenceMs);
    if (this.#waiting !== null) this.#wait(this);
  }
}

interface Job {
  id: number;
  lane: InferenceLane<LaneFrame>;
  frame: LaneFrame;
  timer: NodeJS.Timeout;
}
interface Seat {
  worker: Worker | null;
  ready: boolean;
  /** Has been ready once: from then on it is started again whenever it dies. */
  proven: boolean;
  job: Job | null;
  backoffMs: number;
  timer: NodeJS.Timeout | undefined;
}

export class InferencePool implements Service {
  readonly #deps: InferenceDeps;
  readonly #seats: Seat[] = [];
  readonly #turns: InferenceLane<LaneFrame>[] = [];
  #model: SharedArrayBuffer | null = null;
  #running = false;
  #nextId = 1;
  #restarts = 0;

  constructor(deps: InferenceDeps) {
    this.#deps = deps;
  }

  /** Resolves when every worker has run the model once. Throws GEWU_MODEL_INVALID. */
  async start(): Promise<void> {
    const { bytes } = this.#deps.model;
    this.#model = new SharedArrayBuffer(bytes.length);
    new Uint8Array(this.#model).set(bytes);
    this.#running = true;
    for (let n = 0; n < this.#deps.workers; n++) {
      this.#seats.push({ worker: null, ready: false, proven: false, job: null, backoffMs: BACKOFF_MS_MIN, timer: undefined });
    }
    try {
      await Promise.all(this.#seats.map((seat) => this.#seatWorker(seat)));
    } catch (error) {
      await this.stop();
      const { manifest, file } = this.#deps.model;
      throw new GewuError('GEWU_MODEL_INVALID', `${file} (${manifest.name}): ${(error as Error).message}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#turns.length = 0;
    const seats = this.#seats.splice(0);
    for (const seat of seats) {
      clearTimeout(seat.timer);
      if (seat.job !== null) clearTimeout(seat.job.timer);
    }
    await Promise.all(seats.map((seat) => (seat.worker === null ? undefined : ended(seat.worker))));
  }

  lane<F extends LaneFrame>(handlers: LaneHandlers<F>): InferenceLane<F> {
    // The pool carries frames through and never makes one, so each lane gets back what it put in.
    const wait = (lane: InferenceLane<F>): void => {
      this.#turns.push(lane as unknown as InferenceLane<LaneFrame>);
      this.#serve();
    };
    return new InferenceLane(handlers, wait);
  }

  /** Workers that were started again after they died. */
  get restarts(): number {
    return this.#restarts;
  }

  #serve(): void {
    for (const seat of this.#seats) {
      if (!seat.ready || seat.job !== null || seat.worker === null) continue;
      const [lane, frame] = this.#nextFrame();
      if (lane === undefined || frame === null) return;
      const id = this.#nextId++;
      const timer = setTimeout(() => this.#abandon(seat), INFERENCE_MS_MAX);
      seat.job = { id, lane, frame, timer };
      seat.worker.postMessage({ kind: 'infer', id, frame: frame.input } satisfies WorkerRequest, [frame.input]);
    }
  }

  #nextFrame(): [InferenceLane<LaneFrame> | undefined, LaneFrame | null] {
    for (;;) {
      const lane = this.#turns.shift();
      const frame = lane?.take() ?? null;
      if (lane === undefined || frame !== null) return [lane, frame];
    }
  }

  async #seatWorker(seat: Seat): Promise<void> {
    const data: WorkerInput = {
      manifest: this.#deps.model.manifest,
      model: this.#model as SharedArrayBuffer,
      weakFactor: WEAK_FACTOR,
    };
    const worker = (this.#deps.createWorker ?? createWorker)(data);
    seat.worker = worker;
    await new Promise<void>((resolve, reject) => {
      let problem: Error | null = null;
      const gone = (): void => {
        clearTimeout(late);
        if (seat.worker === worker) this.#died(seat, problem);
        // Without effect on one that had become ready.
        reject(problem ?? new Error('the inference worker did not start'));
      };
      const late = setTimeout(() => {
        void ended(worker);
        gone();
      }, START_MS_MAX);
      worker.on('message', (answer: WorkerAnswer) => {
        if (seat.worker !== worker) return;
        if (answer.kind === 'ready') {
          clearTimeout(late);
          seat.ready = true;
          seat.proven = true;
          seat.backoffMs = BACKOFF_MS_MIN;
          resolve();
          this.#serve();
        } else this.#answered(seat, answer);
      });
      worker.on('error', (error: Error) => {
        problem = error;
      });
      worker.once('exit', gone);
    });
  }

  #answered(seat: Seat, answer: Exclude<WorkerAnswer, { kind: 'ready' }>): void {
    const { job } = seat;
    if (!this.#running || job === null || job.id !== answer.id) return;
    clearTimeout(job.timer);
    seat.job = null;
    job.frame.input = answer.frame;
    if (answer.kind === 'failed') this.#deps.log.error({ err: answer.message }, 'inference failed');
    job.lane.settle(job.frame, answer.kind === 'done' ? answer : null);
    this.#serve();
  }

  /** A run that does not end: its thread is left to itself, another takes the seat. */
  #abandon(seat: Seat): void {
    const { worker } = seat;
    if (worker === null) return;
    void ended(worker);
    this.#died(seat, new Error(`one picture took more than ${INFERENCE_MS_MAX} ms`));
  }

  #died(seat: Seat, problem: Error | null): void {
    const { job } = seat;
    Object.assign(seat, { worker: null, ready: false, job: null });
    if (job !== null) {
      clearTimeout(job.timer);
      if (this.#running) job.lane.settle(job.frame, null);
    }
    // One that cannot start in the first place is the business of who called start.
    if (!this.#running || !seat.proven) return;
    this.#restarts++;
    this.#deps.log.error({ err: problem, againInMs: seat.backoffMs }, 'inference worker died');
    seat.timer = setTimeout(() => void this.#seatWorker(seat).catch(() => {}), seat.backoffMs);
    seat.backoffMs = Math.min(BACKOFF_MS_MAX, seat.backoffMs * 2);
  }
}

/**
 * Asks a worker to end and waits for it, within limits. It is never terminated: the runtime aborts the whole process when
 * its thread is stopped in the middle of a run. One that does not end no longer keeps the process alive.
 */
async function ended(worker: Worker): Promise<void> {
  const exit = once(worker, 'exit');
  worker.postMessage({ kind: 'close' } satisfies WorkerRequest);
  worker.unref();
  const patience = new AbortController();
  await Promise.race([exit, pause(END_MS_MAX, undefined, { signal: patience.signal })]).catch(() => {});
  patience.abort();
}

function createWorker(workerData: WorkerInput): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), { workerData, name: 'inference' });
}
