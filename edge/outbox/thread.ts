import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { GewuError, type Log } from '#service/mod.ts';
import type { OutboxStats, Reply, Request, SalvageReport, WorkerOptions } from './protocol.ts';

const RETRY_MS = 500;
const RESPAWN_MS_MAX = 30_000;
const STOP_MS_MAX = 5_000;

type Question = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;
type Answer = Reply & { ok: true };

export interface ThreadDeps {
  options: Omit<WorkerOptions, 'lastSeqs'>;
  /** A thread runs again, after one that had died. */
  onBack(): void;
  onSalvage(report: SalvageReport): void;
  log: Log;
}

/** The main thread's end of the thread that owns the file (worker.ts). One that dies by itself is replaced. */
export class OutboxThread {
  readonly #deps: ThreadDeps;
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #asked = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  #stopping = new AbortController();
  /** As of its last answer. */
  stats: OutboxStats;

  constructor(deps: ThreadDeps) {
    this.#deps = deps;
    const none = () => ({ records: 0, bytes: 0, lastSeq: 0, dropped: 0, quarantined: 0 });
    this.stats = { events: none(), health: none(), readings: none() };
  }

  get running(): boolean {
    return this.#worker !== undefined;
  }

  /** Aborted while it does not run by the will of its owner. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Throws GEWU_OUTBOX_BROKEN when the file cannot be had. */
  async start(): Promise<void> {
    this.#stopping = new AbortController();
    await this.#spawn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    // Requests are answered in order, so everything before the close is done when it is.
    const gone = once(worker, 'exit');
    worker.postMessage({ op: 'close', id: this.#nextId++ } satisfies Request);
    const late = setTimeout(() => void worker.terminate(), STOP_MS_MAX);
    await gone;
    clearTimeout(late);
  }

  /** `memory` is handed over. Rejects with the code of the answer, or GEWU_OUTBOX_BROKEN when there is no thread. */
  ask(question: Question, memory: ArrayBuffer[] = []): Promise<Answer> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(new GewuError('GEWU_OUTBOX_BROKEN', 'the outbox is not running'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      worker.postMessage({ ...question, id } as Request, memory);
    });
  }

  async #spawn(): Promise<void> {
    const { options, log, onSalvage } = this.#deps;
    const { events, health, readings } = this.stats;
    // Of the thread before: who took records up to here does not look for new ones below.
    const lastSeqs = { events: events.lastSeq, health: health.lastSeq, readings: readings.lastSeq };
    const workerData: WorkerOptions = { ...options, lastSeqs };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
    // `once` rejects on 'error': a file that cannot be opened fails the start.
    const [first] = (await once(worker, 'message').catch((cause: Error) => {
      throw new GewuError('GEWU_OUTBOX_BROKEN', `${options.file}: ${cause.message}`, { cause });
    })) as [Answer];
    this.stats = first.stats;
    this.#worker = worker;
    worker.on('message', (reply: Reply) => this.#onReply(reply));
    worker.on('error', (error) => log.error({ error: error.message }, 'the outbox thread has failed'));
    worker.on('exit', () => this.#onExit(worker));
    if (first.salvage) onSalvage(first.salvage);
  }

  /** A thread that died by itself is replaced; until then nothing is acknowledged. */
  #onExit(worker: Worker): void {
    const error = new GewuError('GEWU_OUTBOX_BROKEN', 'the outbox thread has ended');
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
    if (this.#worker === worker) this.#worker = undefined;
    if (!this.stopping.aborted) void this.#respawn();
  }

  async #respawn(): Promise<void> {
    const signal = this.stopping;
    for (let waitMs = RETRY_MS; !signal.aborted; waitMs = Math.min(RESPAWN_MS_MAX, 2 * waitMs)) {
      await pause(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#spawn();
        // Who stopped us meanwhile found no thread to end.
        if (signal.aborted) await this.stop();
        else this.#deps.onBack();
        return;
      } catch (error) {
        this.#deps.log.error({ error: (error as Error).message }, 'the outbox thread does not come back');
      }
    }
  }

  #onReply(reply: Reply): void {
    const asker = this.#asked.get(reply.id);
    this.#asked.delete(reply.id);
    this.stats = reply.stats ?? this.stats;
    if (!reply.ok) {
      asker?.reject(new GewuError(reply.code, reply.message));
      return;
    }
    if (reply.salvage) this.#deps.onSalvage(reply.salvage);
    asker?.resolve(reply);
  }
}
