import type { EventRecord } from '#grid/mod.ts';
import type { ApiClient } from './api.ts';
import { allPages } from './pages.ts';

/** An event as the centre has it: its highest revision. */
export interface StoredEvent {
  record: EventRecord;
  /** UTC ms at which its first revision came. */
  receivedAt: number;
}

/** All events that the centre has of them: of an edge, confirmed since then (UTC ms), not cleared yet. Throws GEWU_STORE_UNAVAILABLE. */
export function storedEvents(api: ApiClient, asked: { edge?: string; since?: number; active?: true }): Promise<StoredEvent[]> {
  return allPages(api, '/api/v1/events', asked);
}
