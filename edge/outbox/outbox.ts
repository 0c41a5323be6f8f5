import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LANES, type Lane } from '#grid/wire/mod.ts';
import { GewuError, isGewuError, type Log, type Metrics, type Service } from '#service/mod.ts';
import { packBlocks } from './block.ts';
import { createOutboxMetrics, type OutboxMetrics } from './metrics.ts';
import { CommitPace, type Waiting } from './pace.ts';
import type { Chunk, CommitRequest, OutboxStats, SalvageReport, StateChange } from './protocol.ts';
import { OutboxThread } from './thread.ts';

/**
 * The edge's durable queue, three lanes in one SQLite file, owned by a worker thread.
 *
 *   append --+                              +--> resolves when its group is on disk
 *   append --+--> one group --> commit -----+
 *   remove --+      (while a group commits, the next one gathers)
 */
export interface OutboxOptions {
  file: string;
  /** Of all lanes together, with checksums; the oldest readings go first. */
  quotaBytes: number;
  /** Of time that the node ran. */
  ageMsMax: number;
  /** Injected, for tests and benches: a disk that is slow, cannot sync, or ends (see WorkerOptions). */
  syncDelayMs?: number;
  syncFaults?: Int32Array;
  pagesMax?: number;
  log: Log;
  metrics: Metrics;
}

/** Waiting for a commit, at most; beyond it appends are refused and the device sees no PUBACK. */
const WAITING_RECORDS_MAX = 50_000;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
const RETRY_MS = 500;

export class Outbox implements Service {
  readonly #options: OutboxOptions;
  readonly #thread: OutboxThread;
  #gathering: Group = emptyGroup();
  #waitingRecords = 0;
  #waitingBytes = 0;
  #committing = false;
  /** Of the group that gathers, until it is asked about again. */
  #timer: NodeJS.Timeout | null = null;
  #broken = false;
  #mostDropped: { of: number; list: [string, number][] } = { of: 0, list: [] };
  readonly #pace = new CommitPace();
  readonly #metrics: OutboxMetrics;
  readonly #listeners: ((lane: Lane) => void)[] = [];
  readonly #salvageListeners: ((report: SalvageReport) => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    const { file, quotaBytes, ageMsMax, syncDelayMs = 0, syncFaults, pagesMax, log } = options;
    this.#thread = new OutboxThread({
      options: { file, lanes: LANES, quotaBytes, ageMsMax, syncDelayMs, syncFaults, pagesMax },
      onBack: () => this.#schedule(),
      onSalvage: (report) => this.#tellSalvage(report),
      log,
    });
    this.#metrics = createOutboxMetrics(options.metrics, this);
  }

  async start(): Promise<void> {
    await makeFolder(resolve(dirname(this.#options.file)));
    await this.#thread.start();
  }

  stop(): Promise<void> {
    // What gathers is on its way to the disk before the thread is told to end.
    if (this.#timer !== null) void this.#commit();
    return this.#thread.stop();
  }

  /** False while nothing can be made durable. */
  get working(): boolean {
    return this.#thread.running && !this.#broken;
  }

  get stats(): OutboxStats {
    return this.#thread.stats;
  }

  /** Called after each commit that added to a lane. */
  onAppended(listener: (lane: Lane) => void): void {
    this.#listeners.push(listener);
  }

  /** Called after a damaged file was replaced by what could be read of it; at the latest with the start. */
  onSalvaged(listener: (report: SalvageReport) => void): void {
    this.#salvageListeners.push(listener);
  }

  /**
   * Resolves when the records, and the state that goes with them, are on disk. Rejects with GEWU_OUTBOX_FULL
   * (nothing was kept) or GEWU_OUTBOX_BROKEN (nobody knows).
   */
  append(lane: Lane, bodies: readonly Uint8Array[], state: readonly StateChange[] = []): Promise<void> {
    const bytes = bodies.reduce((sum, b) => sum + b.length, 0);
    if (!this.#thread.running) return Promise.reject(new GewuError('GEWU_OUTBOX_BROKEN', 'the outbox is not running'));
    if (this.#waitingRecords + bodies.length > WAITING_RECORDS_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      this.#metrics.refused.inc({ lane }, bodies.length);
      return Promise.reject(new GewuError('GEWU_OUTBOX_FULL', `${this.#waitingRecords} records wait for the disk`));
    }
    const group = this.#gathering;
    this.#waitingRecords += bodies.length;
    this.#waitingBytes += bytes;
    const lines = group.lines[lane];
    for (const body of bodies) lines.push(body);
    for (const change of state) group.state.push(change);
    group.done ??= Promise.withResolvers();
    this.#schedule();
    return group.done.promise;
  }

  /** The frame of these rows was acknowledged. */
  remove(lane: Lane, first: number, last: number): void {
    this.#gathering.remove.push({ lane, first, last });
    this.#schedule();
  }

  /** Rows with `from <= seq <= upTo`, in order, as many as fit; null when there are none. */
  async take(lane: Lane, from: number, upTo: number, bytesMax: number, countMax: number): Promise<Chunk | null> {
    const reply = await this.#thread.ask({ op: 'take', lane, from, upTo, bytesMax, countMax });
    return reply.result as Chunk | null;
  }

  /** What `append` stored as state under keys with this prefix. */
  async state(prefix: string): Promise<Map<string, string>> {
    const reply = await this.#thread.ask({ op: 'state', prefix });
    return new Map(reply.result as [string, string][]);
  }

  /** Readings dropped at the quota or for their age, by device, most first; beyond 4096 devices under `*`. */
  async droppedByDevice(): Promise<Map<string, number>> {
    const reply = await this.#thread.ask({ op: 'drops' });
    return new Map(reply.result as [string, number][]);
  }

  /** The ten devices that lost most, as they were when this was asked before: for reports that come again and again. */
  get mostDropped(): [device: string, readings: number][] {
    const { dropped } = this.stats.readings;
    if (dropped !== this.#mostDropped.of) {
      this.#mostDropped.of = dropped;
      this.droppedByDevice().then(
        (byDevice) => (this.#mostDropped.list = [...byDevice].slice(0, 10)),
        () => (this.#mostDropped.of = -1),
      );
    }
    return this.#mostDropped.list;
  }

  /** At most one commit is under way; what comes meanwhile makes the next group. */
  #schedule(): void {
    if (this.#committing) return;
    // Asked about by itself after its time.
    if (this.#timer !== null && !this.#pace.isNoteworthy(this.#waiting)) return;
    this.#forgetTimer();
    const waitMs = this.#pace.waitMs(this.#waiting, performance.now());
    if (waitMs === 0) {
      this.#committing = true;
      setImmediate(() => void this.#commit());
    } else {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#schedule();
      }, waitMs);
    }
  }

  #forgetTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  get #waiting(): Waiting {
    const hurried = this.#gathering.lines.events.length > 0;
    return { records: this.#waitingRecords, bytes: this.#waitingBytes, hurried };
  }

  async #commit(): Promise<void> {
    this.#forgetTimer();
    this.#committing = true;
    const group = this.#gathering;
    const { state, remove, done } = group;
    const rows = LANES.filter((lane) => group.lines[lane].length > 0).map((lane) => ({
      lane,
      blocks: packBlocks(group.lines[lane]),
    }));
    this.#gathering = emptyGroup();
    this.#waitingRecords = 0;
    this.#waitingBytes = 0;
    this.#pace.committed(performance.now());
    try {
      const memory = rows.flatMap(({ blocks }) => blocks.map((block) => block.buffer as ArrayBuffer));
      await this.#thread.ask({ op: 'commit', rows, state, remove }, memory);
      this.#broken = false;
      this.#metrics.commits.inc();
      done?.resolve();
      for (const { lane } of rows) for (const listener of this.#listeners) listener(lane);
    } catch (error) {
      this.#options.log.error({ error: (error as Error).message }, 'outbox commit failed');
      for (const { lane } of rows) this.#metrics.refused.inc({ lane }, group.lines[lane].length);
      done?.reject(error as Error);
      await this.#afterFailure(error, group.remove);
    }
    this.#committing = false;
    // After the end only those who still wait are told; ranges to remove are sent again by the next life.
    const next = this.#gathering;
    const more = next.done !== null || (next.remove.length > 0 && !this.#thread.stopping.aborted);
    if (more) this.#schedule();
  }

  /** Acknowledged rows are not forgotten; a disk that fails is given time, and what waits meanwhile is bounded. */
  async #afterFailure(error: unknown, remove: CommitRequest['remove']): Promise<void> {
    if (isGewuError(error, 'GEWU_OUTBOX_FULL')) return;
    this.#broken = true;
    this.#gathering.remove.unshift(...remove);
    await pause(RETRY_MS, undefined, { signal: this.#thread.stopping }).catch(() => undefined);
  }

  #tellSalvage(report: SalvageReport): void {
    this.#metrics.salvages.inc();
    this.#options.log.error({ code: 'GEWU_OUTBOX_DAMAGED', ...report }, 'the outbox was damaged: what could be read was saved');
    for (const listener of this.#salvageListeners) listener(report);
  }
}

/** A folder that a power cut does not take away with its files: the names of new folders are on disk when it returns. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    const parent = await open(dirname(made), 'r');
    await parent.sync().finally(() => parent.close());
    if (made === first || made === dirname(made)) return;
  }
}

/** What comes in until the commit before is done. */
interface Group {
  lines: Record<Lane, Uint8Array[]>;
  state: StateChange[];
  remove: CommitRequest['remove'];
  /** One promise for all who append: a promise each would be a tenth of what a message costs. Null while nobody has. */
  done: PromiseWithResolvers<void> | null;
}

function emptyGroup(): Group {
  return { lines: { events: [], health: [], readings: [] }, state: [], remove: [], done: null };
}
