import type { Command, ConfigNotice, EventRecord, HealthReport } from '#grid/wire/mod.ts';
import type { ErrorCode } from '#service/mod.ts';
import type { ReadingsBlock } from './lines/mod.ts';

/**
 * What the intake hands its records to. Every sink answers per record; a record that is refused goes to the
 * dead-letter store and never blocks its neighbours. A sink that throws has stored nothing that counts:
 * the frame is not acknowledged and comes again.
 *
 *   frame --> intake --blocks-> ReadingsSink
 *                    --events-> EventsSink
 *                    --health-> HealthSink
 *                    --refused-> DeadLetterSink --> ack
 */
export type Verdict = { ok: true } | { ok: false; code: ErrorCode; reason: string };
export const ACCEPTED: Verdict = { ok: true };

/** A line that a store will not have, by its number in the body that was scanned. */
export interface LineRefusal {
  index: number;
  line: string;
  code: ErrorCode;
  reason: string;
}

export interface ReadingsSink {
  /** Durable when it resolves, but for the lines refused, told by block. Throws GEWU_STORE_UNAVAILABLE to have the frames again. */
  write(blocks: readonly ReadingsBlock[]): Promise<LineRefusal[][]>;
}

export interface EventsSink {
  /** Idempotent by event id and revision, in whatever order they come; durable when it resolves. */
  accept(events: readonly EventRecord[]): Promise<Verdict[]>;
}

export interface HealthSink {
  accept(records: readonly HealthReport[]): Promise<Verdict[]>;
}

export interface DeadLetter {
  /** hash(edge, epoch, lane, sequence, line): a replay does not multiply it. */
  id: string;
  /** UTC ms of its arrival. */
  ts: number;
  edge: string;
  /** 'device', 'events', 'health', 'readings', 'frame' */
  hop: string;
  /** Client, device or '' */
  source: string;
  code: string;
  reason: string;
  /** Base64 of the payload, cut at 4 KiB. */
  payload: string;
  /** Under which a device published it; null of what came in a frame. */
  topic?: string | null;
}

export interface DeadLetterSink {
  /** Idempotent by id; durable when it resolves. */
  put(letters: readonly DeadLetter[]): Promise<void>;
}

/** Tells edges about the state of a case; best effort, QoS 1, repeated by the next event of the same thing. */
export interface CommandSender {
  send(edge: string, command: Command): void;
}

/** Tells edges that there is a revision of their desired state; best effort, QoS 1, told again until the edge has judged it. */
export interface ConfigSender {
  notify(notice: ConfigNotice): void;
}
