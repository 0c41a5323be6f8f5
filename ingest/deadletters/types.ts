import { type Static, Type } from 'typebox';
import type { DeadLetterAnswer, ReplayAnswer } from '#grid/api/mod.ts';
import type { Service } from '#service/mod.ts';
import type { Asker } from '../audit/mod.ts';
import type { DeadLetterSink } from '../ports.ts';

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
  list(filter: DeadLetterFilter): Promise<{ items: DeadLetterAnswer[]; cursor: string | null }>;
  /** Throws GEWU_NOT_FOUND. */
  get(id: string): Promise<DeadLetterAnswer>;
  /** Of what is stored; the largest groups first, 1,000 at most. */
  counts(filter: Pick<DeadLetterFilter, 'edge' | 'since'>): Promise<DeadLetterCount[]>;
  /** Takes letters away; those that are gone already are no fault. Returns how many went. */
  remove(ids: readonly string[]): Promise<number>;
  /** It was replayed and is here still: how often (null: as it was), and why. One that is gone is no fault. */
  cameBack(id: string, replays: number | null, reason?: string): Promise<void>;
  /** Drops what is too old or too much. Runs by itself; tests call it. Returns how many went. */
  trim(): Promise<number>;
}

/** What a person changes before a letter is replayed. */
export interface Mended {
  /** Base64. */
  payload?: string | undefined;
  /** Of what a device published. */
  topic?: string | undefined;
  reason: string;
}

/** Mends and replays dead letters the way that they came, and takes away what is of no use. Everything is written in the audit trail before it happens. */
export interface DeadLetterDesk {
  /** Throws GEWU_NOT_FOUND, GEWU_REPLAY_REFUSED, GEWU_STORE_UNAVAILABLE. */
  replay(id: string, mended: Mended, by: Asker): Promise<ReplayAnswer>;
  /** Returns how many went. */
  discard(ids: readonly string[], reason: string, by: Asker): Promise<number>;
  /** What an edge wrote in its trail of a payload that was sent to it again. */
  answered(letter: string, refused: string | null): Promise<void>;
}
