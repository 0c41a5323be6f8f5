import type { Log } from '#service/mod.ts';

const EVERY_MS = 60_000;

/** Runs a store's upkeep every minute, never twice at a time; a failure is logged and tried again the next minute. */
export class Upkeep {
  readonly #log: Log;
  readonly #body: () => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  stopping = false;

  constructor(log: Log, body: () => Promise<void>) {
    this.#log = log;
    this.#body = body;
  }

  start(): void {
    this.stopping = false;
    this.#timer = setInterval(() => {
      this.run().catch((error: unknown) => this.#log.warn({ err: error }, 'time series upkeep failed; it is tried again'));
    }, EVERY_MS);
    this.#timer.unref();
  }

  /** Now; joins the run that is under way. */
  run(): Promise<void> {
    this.#running ??= this.#body().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await this.#running?.catch(() => undefined);
  }
}
