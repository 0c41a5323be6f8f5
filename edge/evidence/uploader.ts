import type { Clock, Log, Service } from '#service/mod.ts';
import type { CentreApi } from '../centre/mod.ts';
import type { EvidenceStore, FileCard } from './store.ts';

export interface UploaderDeps {
  store: EvidenceStore;
  centre: CentreApi;
  log: Log;
  clock: Clock;
  random?: () => number;
  /** First wait after a failure, ms; 1000 unless told. */
  backoffMsMin?: number;
}

const BACKOFF_MS_MIN = 1000;
const BACKOFF_MS_MAX = 60_000;
/** The centre has it, now or from before. */
const DONE: ReadonlySet<number> = new Set([200, 201, 204, 409]);
/** The same bytes will never be taken. */
const HOPELESS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

interface Retry {
  attempts: number;
  dueMs: number;
}

/**
 * Sends evidence to the centre, one file at a time, until the centre has it; never in the way of events.
 *
 *   pending --PUT--> 200, 201, 204, 409: sent | 400, 413, 415, 422: given up | anything else: backoff, others go first
 */
export class EvidenceUploader implements Service {
  readonly #deps: UploaderDeps;
  readonly #retries = new Map<string, Retry>();
  #wake: (() => void) | null = null;
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  #stopping = new AbortController();
  #sent = 0;
  #failures = 0;

  constructor(deps: UploaderDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#running = true;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#stopping.abort();
    this.#wake?.();
    await this.#loop;
  }

  /** Something new is in the store. */
  notify(): void {
    this.#wake?.();
  }

  stats(): { sent: number; failures: number } {
    return { sent: this.#sent, failures: this.#failures };
  }

  async #run(): Promise<void> {
    while (this.#running) {
      const nowMs = this.#deps.clock.monotonic();
      const pending = this.#deps.store.pending();
      const due = pending.find((file) => (this.#retries.get(file.sha256)?.dueMs ?? 0) <= nowMs);
      if (due === undefined) {
        const waits = pending.map((file) => (this.#retries.get(file.sha256)?.dueMs ?? 0) - nowMs);
        await this.#pause(Math.min(BACKOFF_MS_MAX, ...waits));
      } else await this.#upload(due);
    }
  }

  async #upload(file: FileCard): Promise<void> {
    const { store, centre, log } = this.#deps;
    try {
      const content = await store.read(file.sha256);
      const headers = { 'content-type': file.mediaType, 'x-gewu-event': file.event };
      const { signal } = this.#stopping;
      const status =
        content === null
          ? 'gone'
          : (await centre.request('PUT', `/api/v1/evidence/${file.sha256}`, { headers, content, signal })).status;
      if (status === 'gone' || HOPELESS.has(status)) {
        log.error({ sha256: file.sha256, event: file.event, status }, 'evidence given up');
        await store.giveUp(file.sha256);
      } else if (DONE.has(status)) {
        await store.markSent(file.sha256);
        this.#sent++;
      } else throw new Error(`the centre answered ${status}`);
      this.#retries.delete(file.sha256);
    } catch (error) {
      if (this.#running) this.#later(file, error as Error);
    }
  }

  #later(file: FileCard, error: Error): void {
    const { clock, log, random = Math.random, backoffMsMin = BACKOFF_MS_MIN } = this.#deps;
    const attempts = (this.#retries.get(file.sha256)?.attempts ?? 0) + 1;
    const waitMs = Math.min(BACKOFF_MS_MAX, backoffMsMin * 2 ** Math.min(16, attempts - 1)) * (0.5 + random());
    this.#retries.set(file.sha256, { attempts, dueMs: clock.monotonic() + waitMs });
    this.#failures++;
    log.warn({ sha256: file.sha256, attempts, err: error.message, againInMs: Math.round(waitMs) }, 'evidence not sent');
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, Math.max(5, ms));
      this.#wake = done;
    });
  }
}
