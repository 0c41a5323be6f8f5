import type { Lane } from '#grid/wire/mod.ts';

/** What the outbox and its worker say to each other. One request is one transaction; answers come in order. */

/** A line of rule or vision state that commits together with the events it speaks of; null deletes it. */
export interface StateChange {
  key: string;
  value: string | null;
}

export interface CommitRequest {
  op: 'commit';
  id: number;
  rows: { lane: Lane; bodies: Uint8Array[] }[];
  state: StateChange[];
  /** Acknowledged ranges; they ride along, because losing them costs only a resend. */
  remove: { lane: Lane; first: number; last: number }[];
}

export interface TakeRequest {
  op: 'take';
  id: number;
  lane: Lane;
  /** Rows with `from <= seq <= upTo`, in order, as many as fit. */
  from: number;
  upTo: number;
  bytesMax: number;
  countMax: number;
}

export interface StateRequest {
  op: 'state';
  id: number;
  prefix: string;
}

export type Request = CommitRequest | TakeRequest | StateRequest | { op: 'close'; id: number };

/** Consecutive rows of one lane, joined by newlines. */
export interface Chunk {
  first: number;
  last: number;
  count: number;
  body: Uint8Array;
}

export interface LaneStats {
  records: number;
  bytes: number;
  /** Highest sequence ever given; it is never reused. */
  lastSeq: number;
  /** Dropped at the quota or too old, since the file was made. */
  dropped: number;
  /** Rows whose checksum no longer held, since the file was made. */
  quarantined: number;
}
export type OutboxStats = Record<Lane, LaneStats>;

export type Reply =
  | { id: number; ok: true; result: Chunk | [string, string][] | null; stats: OutboxStats }
  | { id: number; ok: false; code: 'GEWU_OUTBOX_BROKEN' | 'GEWU_OUTBOX_FULL'; message: string; stats: OutboxStats | null };

export interface WorkerOptions {
  file: string;
  /** Handed over, because the thread loads nothing that it does not need: it starts in a fraction of the time. */
  lanes: readonly Lane[];
  quotaBytes: number;
  ageMsMax: number;
  /** Injected delay per commit, ms: flash whose fsync is slow, for tests and benches. */
  syncDelayMs: number;
  /** Injected, in shared memory: so many commits fail as if the disk could not sync [0], or end the thread [1]. */
  syncFaults?: Int32Array | undefined;
  /** Injected: the file may have so many pages, as if the disk ended there. */
  pagesMax?: number | undefined;
}
