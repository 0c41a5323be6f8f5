import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LANES, type Lane } from '#grid/wire/mod.ts';
import { Gauge, GewuError, isGewuError, type Log, type Metrics, type Service } from '#service/mod.ts';
import type { Chunk, CommitRequest, OutboxStats, Reply, Request, StateChange, WorkerOptions } from './protocol.ts';

/**
 * The edge's durable queue, three lanes in one SQLite file, owned by a worker thread.
 *
 *   append --+                              +--> resolves when its group is on disk
 *   append --+--> one group --> commit -----+
 *   remove --+      (while a group commits, the next one gathers)
 */
export interface OutboxOptions {
  file: string;
  /** Of all lanes together; the oldest readings go first. */
  quotaBytes: number;
  ageMsMax: number;
  /** Injected, for tests and benches: a disk that is slow, cannot sync, or ends (see WorkerOptions). */
  syncDelayMs?: number;
  syncFaults?: Int32Array;
  pagesMax?: number;
  log: Log;
  metrics: Metrics;
}

/** Waiting for a commit, at most; beyond it appends are refused and the device sees no PUBACK. */
const WAITING_RECORDS_MAX = 50_000;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
const RETRY_MS = 500;
const RESPAWN_MS_MAX = 30_000;
const STOP_MS_MAX = 5_000;

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

export class Outbox implements Service {
  readonly #options: OutboxOptions;
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #replies = new Map<number, { resolve(r: Reply & { ok: true }): void; reject(error: Error): void }>();
  #stats: OutboxStats = emptyStats();
  #gathering: Omit<CommitRequest, 'op' | 'id'> = { rows: [], state: [], remove: [] };
  #waiting: Waiting[] = [];
  #waitingRecords = 0;
  #waitingBytes = 0;
  #committing = false;
  #broken = false;
  #stopping = new AbortController();
  readonly #listeners: ((lane: Lane) => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    const stats = () => this.#stats;
    new Gauge({
      name: 'gewu_outbox_records',
      help: 'Records that wait for the centre, by lane',
      labelNames: ['lane'],
      registers: [options.metrics],
      collect() {
        for (const lane of LANES) this.set({ lane }, stats()[lane].records);
      },
    });
    new Gauge({
      name: 'gewu_outbox_dropped',
      help: 'Records dropped at the quota, by lane',
      labelNames: ['lane'],
      registers: [options.metrics],
      collect() {
        for (const lane of LANES) this.set({ lane }, stats()[lane].dropped);
      },
    });
  }

  async start(): Promise<void> {
    await mkdir(dirname(this.#options.file), { recursive: true });
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

  /** False while nothing can be made durable. */
  get working(): boolean {
    return this.#worker !== undefined && !this.#broken;
  }

  async #spawn(): Promise<void> {
    const { file, quotaBytes, ageMsMax, syncDelayMs = 0, syncFaults, pagesMax } = this.#options;
    const workerData: WorkerOptions = { file, lanes: LANES, quotaBytes, ageMsMax, syncDelayMs, syncFaults, pagesMax };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
    // `once` rejects on 'error': a file that cannot be opened fails the start.
    const [first] = (await once(worker, 'message').catch((cause: Error) => {
      throw new GewuError('GEWU_OUTBOX_BROKEN', `${file}: ${cause.message}`, { cause });
    })) as [Reply & { ok: true }];
    this.#stats = first.stats;
    this.#worker = worker;
    worker.on('message', (reply: Reply) => this.#onReply(reply));
    worker.on('error', (error) => this.#options.log.error({ error: error.message }, 'the outbox thread has failed'));
    worker.on('exit', () => this.#onExit(worker));
  }

  /** A thread that died by itself is replaced; until then nothing is acknowledged. */
  #onExit(worker: Worker): void {
    const error = new GewuError('GEWU_OUTBOX_BROKEN', 'the outbox thread has ended');
    for (const { reject } of this.#replies.values()) reject(error);
    this.#replies.clear();
    if (this.#worker === worker) this.#worker = undefined;
    if (!this.#stopping.signal.aborted) void this.#respawn();
  }

  async #respawn(): Promise<void> {
    const { signal } = this.#stopping;
    for (let waitMs = RETRY_MS; !signal.aborted; waitMs = Math.min(RESPAWN_MS_MAX, 2 * waitMs)) {
      await pause(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#spawn();
        // Who stopped us meanwhile found no thread to end.
        if (signal.aborted) await this.stop();
        else this.#schedule();
        return;
      } catch (error) {
        this.#options.log.error({ error: (error as Error).message }, 'the outbox thread does not come back');
      }
    }
  }

  get stats(): OutboxStats {
    return this.#stats;
  }

  /** Called after each commit that added to a lane. */
  onAppended(listener: (lane: Lane) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Resolves when the records, and the state that goes with them, are on disk. Rejects with GEWU_OUTBOX_FULL
   * (nothing was kept) or GEWU_OUTBOX_BROKEN (nobody knows).
   */
  append(lane: Lane, bodies: readonly Uint8Array[], state: readonly StateChange[] = []): Promise<void> {
    const bytes = bodies.reduce((sum, b) => sum + b.length, 0);
    if (this.#worker === undefined) return Promise.reject(new GewuError('GEWU_OUTBOX_BROKEN', 'the outbox is not running'));
    if (this.#waitingRecords + bodies.length > WAITING_RECORDS_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX)
      return Promise.reject(new GewuError('GEWU_OUTBOX_FULL', `${this.#waitingRecords} records wait for the disk`));
    this.#waitingRecords += bodies.length;
    this.#waitingBytes += bytes;
    const lastRows = this.#gathering.rows.at(-1);
    if (bodies.length > 0 && lastRows?.lane === lane) for (const body of bodies) lastRows.bodies.push(body);
    else if (bodies.length > 0) this.#gathering.rows.push({ lane, bodies: [...bodies] });
    this.#gathering.state.push(...state);
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#schedule();
    return done;
  }

  /** The frame of these rows was acknowledged. */
  remove(lane: Lane, first: number, last: number): void {
    this.#gathering.remove.push({ lane, first, last });
    this.#schedule();
  }

  /** Rows with `from <= seq <= upTo`, in order, as many as fit; null when there are none. */
  async take(lane: Lane, from: number, upTo: number, bytesMax: number, countMax: number): Promise<Chunk | null> {
    const reply = await this.#ask({ op: 'take', id: this.#nextId++, lane, from, upTo, bytesMax, countMax });
    return reply.result as Chunk | null;
  }

  /** What `append` stored as state under keys with this prefix. */
  async state(prefix: string): Promise<Map<string, string>> {
    const reply = await this.#ask({ op: 'state', id: this.#nextId++, prefix });
    return new Map(reply.result as [string, string][]);
  }

  /** At most one commit is under way; what comes meanwhile makes the next group. */
  #schedule(): void {
    if (this.#committing) return;
    this.#committing = true;
    setImmediate(() => void this.#commit());
  }

  async #commit(): Promise<void> {
    const group = this.#gathering;
    const waiting = this.#waiting;
    this.#gathering = { rows: [], state: [], remove: [] };
    this.#waiting = [];
    this.#waitingRecords = 0;
    this.#waitingBytes = 0;
    try {
      await this.#ask({ op: 'commit', id: this.#nextId++, ...group });
      this.#broken = false;
      for (const w of waiting) w.resolve();
      for (const lane of new Set(group.rows.map((r) => r.lane))) for (const listener of this.#listeners) listener(lane);
    } catch (error) {
      this.#options.log.error({ error: (error as Error).message }, 'outbox commit failed');
      for (const w of waiting) w.reject(error as Error);
      await this.#afterFailure(error, group.remove);
    }
    this.#committing = false;
    // After the end only those who still wait are told; ranges to remove are sent again by the next life.
    const more = this.#stopping.signal.aborted
      ? this.#waiting.length > 0
      : this.#waiting.length + this.#gathering.remove.length > 0;
    if (more) this.#schedule();
  }

  /** Acknowledged rows are not forgotten; a disk that fails is given time, and what waits meanwhile is bounded. */
  async #afterFailure(error: unknown, remove: CommitRequest['remove']): Promise<void> {
    if (isGewuError(error, 'GEWU_OUTBOX_FULL')) return;
    this.#broken = true;
    this.#gathering.remove.unshift(...remove);
    await pause(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  #ask(request: Request): Promise<Reply & { ok: true }> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(new GewuError('GEWU_OUTBOX_BROKEN', 'the outbox is not running'));
    return new Promise((resolve, reject) => {
      this.#replies.set(request.id, { resolve, reject });
      worker.postMessage(request);
    });
  }

  #onReply(reply: Reply): void {
    const asker = this.#replies.get(reply.id);
    this.#replies.delete(reply.id);
    this.#stats = reply.stats ?? this.#stats;
    if (reply.ok) asker?.resolve(reply);
    else asker?.reject(new GewuError(reply.code, reply.message));
  }
}

function emptyStats(): OutboxStats {
  const none = () => ({ records: 0, bytes: 0, lastSeq: 0, dropped: 0, quarantined: 0 });
  return { events: none(), health: none(), readings: none() };
}
