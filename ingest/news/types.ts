import type { Service } from '#service/mod.ts';
import type { Change } from '../cases/mod.ts';
import type { HealthChange } from '../devices/mod.ts';

export const TOPICS = ['case', 'event', 'health'] as const;
export type Topic = (typeof TOPICS)[number];

/** Something changed: `data` names it, and who wants to know more reads it. */
export type NewsItem = { topic: 'case' | 'event'; data: Change } | { topic: 'health'; data: HealthChange };

/** What changes at the centre, whichever replica did it. Said after the commit. */
export interface News extends Service {
  /** Returns what unsubscribes. Listeners must not throw. */
  on(event: 'item', listener: (item: NewsItem) => void): () => void;
  /** Another replica's news may have been missed: what is shown has to be read anew. */
  on(event: 'missed', listener: () => void): () => void;
}
