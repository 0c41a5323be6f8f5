import { setTimeout as pause } from 'node:timers/promises';
import type { Case } from '#grid/mod.ts';
import type { ApiClient } from './api.ts';

const POLL_MS = 100;
const PAGE = 500;
/** What came new between two polls is mostly less. */
const NEWEST = 50;
/** Cases that the demo keeps in mind; an endless one looks at the newest page only. */
const PAGES_MAX = 20;

interface CasePage {
  items: Case[];
  cursor: string | null;
}

/** Looks at the API as a client would, and notes when each case was first readable. */
export class CaseWatch {
  readonly #api: ApiClient;
  readonly #since: number;
  /** UTC ms at which a response first held the case. */
  readonly readableAt = new Map<string, number>();
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Polls that the API did not answer. */
  failures = 0;

  constructor(api: ApiClient, since: number) {
    this.#api = api;
    this.#since = since;
  }

  start(): void {
    this.#running = this.#poll();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** All cases since the beginning, oldest last. */
  async all(): Promise<Case[]> {
    const cases: Case[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const found: CasePage = await this.#api.getPatiently(this.#path(cursor, PAGE));
      cases.push(...found.items);
      cursor = found.cursor;
      if (cursor === null) break;
    }
    return cases;
  }

  async #poll(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#lookAtNew();
      } catch {
        this.failures++;
      }
      await pause(POLL_MS);
    }
  }

  /** From the newest back to one that was seen before: a storm opens more between two polls than a page holds. */
  async #lookAtNew(): Promise<void> {
    let cursor: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const found: CasePage = await this.#api.get(this.#path(cursor, page === 0 ? NEWEST : PAGE));
      const now = Date.now();
      const fresh = found.items.filter(({ id }) => !this.readableAt.has(id));
      for (const { id } of fresh) this.readableAt.set(id, now);
      cursor = found.cursor;
      if (cursor === null || fresh.length < found.items.length) return;
    }
  }

  #path(cursor: string | null, limit: number): string {
    const more = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    return `/api/v1/cases?since=${this.#since}&limit=${limit}${more}`;
  }
}
