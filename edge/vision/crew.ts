import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { LoadedModel } from '#models/mod.ts';
import { GewuError, type Log } from '#service/mod.ts';
import type { InferenceResult, WorkerAnswer, WorkerInput, WorkerRequest } from './worker.ts';

/** Detections down to this share of their class's threshold are kept for tracks that exist already. */
export const WEAK_FACTOR = 0.5;
const START_MS_MAX = 30_000;
/** A worker that needs longer for one picture is taken for dead. */
const INFERENCE_MS_MAX = 10_000;
const END_MS_MAX = 3000;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 30_000;

/** What became of a picture. `input`: its memory, given back; null where it went with its worker. */
export interface Outcome {
  input: ArrayBuffer | null;
  result: InferenceResult | null;
}

interface Job {
  id: number;
  settle: (outcome: Outcome) => void;
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

export interface CrewDeps {
  model: LoadedModel;
  log: Log;
  createWorker?: ((data: WorkerInput) => Worker) | undefined;
  /** A worker can take a picture. */
  onFree(): void;
  /** A worker that had been ready died; it is started again. */
  onDeath(problem: Error | null): void;
}

/** Threads that look with one model. */
export class Crew {
  readonly #deps: CrewDeps;
  readonly #seats: Seat[] = [];
  readonly #model: SharedArrayBuffer;
  #open = true;
  #nextId = 1;

  constructor(deps: CrewDeps) {
    this.#deps = deps;
    const { bytes } = deps.model;
    this.#model = new SharedArrayBuffer(bytes.length);
    new Uint8Array(this.#model).set(bytes);
  }

  get model(): LoadedModel {
    return this.#deps.model;
  }

  /** Resolves when there are so many that have run the model once. Throws GEWU_MODEL_INVALID; none is left then. */
  async hire(workers: number): Promise<void> {
    const added: Seat[] = [];
    while (this.#seats.length < workers) {
      const seat = { worker: null, ready: false, proven: false, job: null, backoffMs: BACKOFF_MS_MIN, timer: undefined };
      this.#seats.push(seat);
      added.push(seat);
    }
    try {
      await Promise.all(added.map((seat) => this.#seatWorker(seat)));
    } catch (error) {
      await this.close();
      const { manifest, file } = this.#deps.model;
      throw new GewuError('GEWU_MODEL_INVALID', `${file} (${manifest.name}): ${(error as Error).message}`, { cause: error });
    }
  }

  /** Whether a worker waits for a picture. */
  get free(): boolean {
    return this.#seats.some(isFree);
  }

  /** Hands a picture over (its memory goes with it); only while `free`. */
  give(input: ArrayBuffer, settle: Job['settle']): void {
    const seat = this.#seats.find(isFree);
    if (seat?.worker == null) throw new Error('no worker is free');
    const id = this.#nextId++;
    seat.job = { id, settle, timer: setTimeout(() => this.#abandon(seat), INFERENCE_MS_MAX) };
    seat.worker.postMessage({ kind: 'infer', id, frame: input } satisfies WorkerRequest, [input]);
  }

  /** Lets what is under way come to its end. */
  async drain(): Promise<void> {
    const busy = this.#seats.flatMap(({ job }) => (job === null ? [] : [job]));
    await Promise.all(
      busy.map(
        (job) =>
          new Promise<void>((resolve) => {
            const { settle } = job;
            job.settle = (outcome) => {
              settle(outcome);
              resolve();
            };
          }),
      ),
    );
  }

  /** At once: what is under way is not told of any more. */
  async close(): Promise<void> {
    this.#open = false;
    const seats = this.#seats.splice(0);
    for (const { timer, job } of seats) {
      clearTimeout(timer);
      if (job !== null) clearTimeout(job.timer);
    }
    await Promise.all(seats.map((seat) => (seat.worker === null ? undefined : ended(seat.worker))));
  }

  async #seatWorker(seat: Seat): Promise<void> {
    const data: WorkerInput = { manifest: this.model.manifest, model: this.#model, weakFactor: WEAK_FACTOR };
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
          Object.assign(seat, { ready: true, proven: true, backoffMs: BACKOFF_MS_MIN });
          resolve();
          this.#deps.onFree();
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
    if (!this.#open || job === null || job.id !== answer.id) return;
    clearTimeout(job.timer);
    seat.job = null;
    if (answer.kind === 'failed') this.#deps.log.error({ err: answer.message }, 'inference failed');
    job.settle({ input: answer.frame, result: answer.kind === 'done' ? answer.result : null });
    this.#deps.onFree();
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
      if (this.#open) job.settle({ input: null, result: null });
    }
    // One that cannot start in the first place is the business of who hired it.
    if (!this.#open || !seat.proven) return;
    this.#deps.log.error({ err: problem, againInMs: seat.backoffMs }, 'inference worker died');
    seat.timer = setTimeout(() => void this.#seatWorker(seat).catch(() => {}), seat.backoffMs);
    seat.backoffMs = Math.min(BACKOFF_MS_MAX, seat.backoffMs * 2);
    this.#deps.onDeath(problem);
  }
}

const isFree = ({ ready, job, worker }: Seat): boolean => ready && job === null && worker !== null;

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
