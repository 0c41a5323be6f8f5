import { isGewuError, type Log, type Service, startAll, stopAll } from '#service/mod.ts';

const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 10_000;

/**
 * Services that stand on one store and start in order. While the store is away they are tried again in the background,
 * so that a dead PostgreSQL does not keep readings out, nor a dead InfluxDB cases. What trying again cannot mend (a
 * folder that is locked, a newer schema) fails the start.
 */
export class Persistent implements Service {
  readonly #name: string;
  readonly #services: readonly Service[];
  readonly #log: Log;
  #attempt: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #backoffMs = BACKOFF_MS_MIN;
  #running = false;
  #stopping = false;
  #fault: unknown = null;

  constructor({ name, services, log }: { name: string; services: readonly Service[]; log: Log }) {
    this.#name = name;
    this.#services = services;
    this.#log = log;
  }

  /** After the first attempt; throws what trying again cannot mend. */
  async start(): Promise<void> {
    this.#stopping = false;
    await this.#try();
    if (this.#fault !== null && !isAway(this.#fault)) throw this.#fault;
    if (this.#fault !== null) this.#tryLater();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#attempt;
    if (!this.#running) return;
    this.#running = false;
    await stopAll(this.#services);
  }

  /** Throws why it does not run yet. */
  check(): void {
    if (!this.#running) throw this.#fault ?? new Error(`${this.#name} has not started yet`);
  }

  #try(): Promise<void> {
    this.#attempt = startAll(this.#services).then(
      () => {
        this.#running = true;
        this.#fault = null;
      },
      (error: unknown) => {
        this.#fault = error;
      },
    );
    return this.#attempt;
  }

  #tryLater(): void {
    if (this.#stopping) return;
    const waitMs = this.#backoffMs;
    this.#log.warn({ err: this.#fault, waitMs }, `${this.#name} is not there; tried again`);
    this.#backoffMs = Math.min(BACKOFF_MS_MAX, waitMs * 2);
    this.#timer = setTimeout(() => void this.#again(), waitMs);
  }

  async #again(): Promise<void> {
    await this.#try();
    if (this.#fault !== null) return this.#tryLater();
    this.#backoffMs = BACKOFF_MS_MIN;
    this.#log.info(`${this.#name} is there now`);
  }
}

const isAway = (error: unknown) => isGewuError(error) && error.remedy === 'retry';
