import { type Static, Type } from 'typebox';
import type { Service } from '#service/mod.ts';
import type { DeadLetter, DeadLetterSink } from '../ports.ts';

export const DeadLettersConfig = Type.Object(
  {
    /** Beyond it the oldest go, counted. */
    entriesMax: Type.Integer({ minimum: 100, maximum: 10_000_000, default: 100_000 }),
    days: Type.Integer({ minimum: 1, maximum: 3650, default: 30 }),
  },
  { additionalProperties: false, default: {} },
);
export type DeadLettersConfig = Static<typeof DeadLettersConfig>;

export interface DeadLetterFilter {
  edge?: string | undefined;
  hop?: string | undefined;
  code?: string | undefined;
  /** Client or device. */
  source?: string | undefined;
  /** Arrived at or after, UTC ms. */
  since?: number | undefined;
  /** 1..500, default 100. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface DeadLetterCount {
  edge: string;
  hop: string;
  code: string;
  count: number;
}

/** What could not be used, with the reason. Bounded: the oldest go first. */
export interface DeadLetterStore extends Service, DeadLetterSink {
  /** Newest first; `cursor` is null on the last page. Throws GEWU_REQUEST_INVALID for a foreign cursor. */
  list(filter: DeadLetterFilter): Promise<{ items: DeadLetter[]; cursor: string | null }>;
  /** Throws GEWU_NOT_FOUND. */
  get(id: string): Promise<DeadLetter>;
  /** Of what is stored; the largest groups first, 1,000 at most. */
  counts(filter: Pick<DeadLetterFilter, 'edge' | 'since'>): Promise<DeadLetterCount[]>;
  /** Drops what is too old or too much. Runs by itself; tests call it. Returns how many went. */
  trim(): Promise<number>;
}
