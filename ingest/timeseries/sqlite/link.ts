import { Worker } from 'node:worker_threads';
import { GewuError } from '#service/mod.ts';
import type { Answer, Call, WorkerData } from './worker.ts';

/** A thread that is asked and answers. When it dies, what it was asked fails and the next call starts a new one. */
export class WorkerLink {
  readonly #data: WorkerData;
  readonly #callsMax: number;
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #worker: Worker | null = null;
  #open = false;
  #nextId = 1;

  /** `callsMax` bounds what waits for the thread. */
  constructor(data: WorkerData, callsMax: number) {
    this.#data = data;
    this.#callsMax = callsMax;
  }

  /** Starts the thread; `open` is awaited apart, so that several can start side by side. */
  start(): void {
    this.#open = true;
    this.#running();
  }

  /** Byte arrays are handed over, not copied. Throws what the thread threw, by its code; GEWU_STORE_UNAVAILABLE when it died, was stopped, or too much waits for it. */
  call<T>(op: string, ...args: unknown[]): Promise<T> {
    if (!this.#open) return Promise.reject(new GewuError('GEWU_STORE_UNAVAILABLE', `${this.#data.file}: not started`));
    if (this.#pending.size >= this.#callsMax)
      return Promise.reject(new GewuError('GEWU_STORE_UNAVAILABLE', `${this.#data.file}: ${this.#callsMax} calls wait already`));
    const worker = this.#running();
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      const buffers = args.flatMap((arg) => (arg instanceof Uint8Array ? [arg.buffer as ArrayBuffer] : []));
      worker.postMessage({ id, op, args } satisfies Call, buffers);
    });
  }

  /** Lets it finish what it was asked, then ends it. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    const closed = worker ? this.call('close').catch(() => undefined) : undefined;
    this.#open = false;
    await closed;
    if (!worker || this.#worker !== worker) return;
    this.#worker = null;
    await worker.terminate();
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: this.#data,
      name: `timeseries-${this.#data.role}`,
    });
    worker.on('message', (answer: Answer) => this.#settle(answer));
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', (code) => this.#fail(worker, new Error(`exit ${code}`)));
    this.#worker = worker;
    return worker;
  }

  #settle(answer: Answer): void {
    const waiting = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.value);
    else waiting?.reject(new GewuError(answer.code, answer.message));
  }

  #fail(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const lost = new GewuError('GEWU_STORE_UNAVAILABLE', `${this.#data.role} thread ended: ${(error as Error).message}`, {
      cause: error,
    });
    for (const { reject } of this.#pending.values()) reject(lost);
    this.#pending.clear();
  }
}
