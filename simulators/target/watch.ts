import { setTimeout as pause } from 'node:timers/promises';
import type { Case } from '#grid/mod.ts';
import type { ApiClient } from './api.ts';
import { allPages, PAGE, type Page, pageOf } from './pages.ts';

const POLL_MS = 100;
/** What came new between two polls is mostly less. */
const NEWEST = 50;
/** Of one poll: what it does not reach, the next ones do. */
const POLL_PAGES_MAX = 20;

const PATH = '/api/v1/cases';

/** All cases that the city still works on. Throws GEWU_STORE_UNAVAILABLE. */
export function openCases(api: ApiClient): Promise<Case[]> {
  return allPages(api, PATH, { open: true });
}

/** Looks at the API as a client would, and notes when each case was first readable. */
export class CaseWatch {
  readonly #api: ApiClient;
  readonly #since: number;
  /** UTC ms at which a response first held the case. */
  readonly readableAt = new Map<string, number>();
  #running: Promise<void> | undefined;
  #stopped = false;
  readonly #failed: () => void;

  /** Cases that were opened since then, UTC ms; `failed` is told of each poll that the API did not answer. */
  constructor(api: ApiClient, since: number, failed: () => void = () => undefined) {
    this.#api = api;
    this.#since = since;
    this.#failed = failed;
  }

  start(): void {
    this.#running = this.#poll();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** All cases since the beginning, newest first. */
  all(): Promise<Case[]> {
    return allPages(this.#api, PATH, { since: this.#since });
  }

  async #poll(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#lookAtNew();
      } catch {
        this.#failed();
      }
      await pause(POLL_MS);
    }
  }

  /** From the newest back to one that was seen before: a storm opens more between two polls than a page holds. */
  async #lookAtNew(): Promise<void> {
    let cursor: string | null = null;
    for (let page = 0; page < POLL_PAGES_MAX; page++) {
      const query = { since: this.#since, limit: page === 0 ? NEWEST : PAGE };
      const found: Page<Case> = await this.#api.get(pageOf(PATH, query, cursor));
      const now = Date.now();
      const fresh = found.items.filter(({ id }) => !this.readableAt.has(id));
      for (const { id } of fresh) this.readableAt.set(id, now);
      cursor = found.cursor;
      if (cursor === null || fresh.length < found.items.length) return;
    }
  }
}
