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

/** A smaller file costs less than the question. */
const ASK_BYTES_MIN = 256 * 1024;

interface Retry {
  attempts: number;
  dueMs: number;
}

/**
 * Sends evidence to the centre, one file at a time, until the centre has it; never in the way of events.
 *
 *   pending --PUT--> 200, 201, 204, 409: sent | 400, 413, 415, 422: given up | anything else: backoff, others go first
 *
 * A large file that was begun goes on where the centre says that it was cut off.
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
    const { store, log } = this.#deps;
    try {
      const content = await store.read(file.sha256);
      const status = content === null ? 'gone' : await this.#put(file, content);
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

  /** Status of the centre's answer. */
  async #put(file: FileCard, content: Buffer): Promise<number> {
    const from = content.length < ASK_BYTES_MIN ? 0 : await this.#begun(file.sha256);
    const rest = from <= content.length ? from : 0;
    const headers = {
      ...{ 'content-type': file.mediaType, 'x-gewu-event': file.event },
      ...(rest === 0 ? {} : { 'x-gewu-offset': String(rest) }),
    };
    const { signal } = this.#stopping;
    const path = `/api/v1/evidence/${file.sha256}`;
    return (await this.#deps.centre.request('PUT', path, { headers, content: content.subarray(rest), signal })).status;
  }

  /** Bytes that the centre has of a file; none where it does not know the question. */
  async #begun(sha256: string): Promise<number> {
    const { signal } = this.#stopping;
    const { status, body } = await this.#deps.centre.request('GET', `/api/v1/evidence/${sha256}/upload`, { signal });
    if (status !== 200) return 0;
    const { bytes } = JSON.parse(body.toString('utf8')) as { bytes?: unknown };
    return Number.isSafeInteger(bytes) ? (bytes as number) : 0;
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
