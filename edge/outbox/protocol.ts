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
  /** Blocks that are not sealed yet (see block.ts), each in memory of its own that is handed over. */
  rows: { lane: Lane; blocks: Uint8Array[] }[];
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

export type Request = CommitRequest | TakeRequest | StateRequest | { op: 'drops'; id: number } | { op: 'close'; id: number };

/** Consecutive rows of one lane, joined by newlines. */
export interface Chunk {
  first: number;
  last: number;
  count: number;
  body: Uint8Array;
}

export interface LaneStats {
  records: number;
  /** Of the records with their newlines and checksums. */
  bytes: number;
  /** Highest sequence ever given; it is never reused. */
  lastSeq: number;
  /** Dropped at the quota or too old, since the file was made. */
  dropped: number;
  /** Rows lost to the disk: the checksum no longer held, or a damaged file did not give them back. Since the file was made. */
  quarantined: number;
}
export type OutboxStats = Record<Lane, LaneStats>;

/** A damaged file was replaced by what could be read of it. */
export interface SalvageReport {
  reason: string;
  saved: Record<Lane, number>;
  /** By the counters of the damaged file; where these were damaged too, 0. */
  lost: Record<Lane, number>;
  /** Where the damaged file lies now. */
  quarantine: string;
}

export type Result = Chunk | [string, string][] | [string, number][] | null;
export type Reply =
  | { id: number; ok: true; result: Result; stats: OutboxStats; salvage?: SalvageReport | undefined }
  | { id: number; ok: false; code: 'GEWU_OUTBOX_BROKEN' | 'GEWU_OUTBOX_FULL'; message: string; stats: OutboxStats | null };

export interface WorkerOptions {
  file: string;
  /** Handed over, because the thread loads nothing that it does not need: it starts in a fraction of the time. */
  lanes: readonly Lane[];
  quotaBytes: number;
  /** Of time that the node ran: no step of the wall clock makes anything old. */
  ageMsMax: number;
  /** No lower number is given in a lane, whatever the file says. */
  lastSeqs?: Record<Lane, number> | undefined;
  /** Injected delay per commit, ms: flash whose fsync is slow, for tests and benches. */
  syncDelayMs: number;
  /** Injected, in shared memory: so many commits fail as if the disk could not sync [0], or end the thread [1]. */
  syncFaults?: Int32Array | undefined;
  /** Injected: the file may have so many pages, as if the disk ended there. */
  pagesMax?: number | undefined;
}
