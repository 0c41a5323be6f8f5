import { setImmediate as breathe } from 'node:timers/promises';
import type { Ack, FrameHeader, Lane as LaneName } from '#grid/wire/mod.ts';
import { type Clock, isGewuError, type Log } from '#service/mod.ts';
import type { DeadLetter, DeadLetterSink } from '../ports.ts';
import { openFrame, type QueuedFrame } from './frame.ts';
import type { IntakeLimits } from './limits.ts';
import type { IntakeMetrics } from './metrics.ts';
import { LaneQueue } from './queue.ts';
import { type Parse, type Parsed, type Refusal, refusedLetter, type Store } from './records.ts';

export interface LaneDeps<B> {
  lane: LaneName;
  parse: Parse<B>;
  store: Store<B>;
  deadLetters: DeadLetterSink;
  ack(edge: string, ack: Ack): void;
  /** How long a frame waits for company. */
  lingerMs: number;
  limits: IntakeLimits;
  clock: Clock;
  log: Log;
  metrics: IntakeMetrics;
}

/** A frame that was opened: what goes to the sink, what to the dead letters, what to acknowledge. */
interface Work<B> {
  frame: QueuedFrame;
  header: FrameHeader | null;
  ack: Ack | null;
  parsed: Parsed<B>;
  /** Dead letters of records that the sink refused. */
  refused: DeadLetter[];
  acknowledged: boolean;
}

/** The loop gets its turn after so long: events must not wait for a flood of readings to be unpacked. */
const TURN_MS_MAX = 4;
/** Unpacked bytes in one write: bounds memory against frames that unpack to a lot. */
const WRITE_BYTES_MAX = 2 * 1024 * 1024;
const LOG_EVERY_MS = 10_000;

/**
 * One lane: a bounded queue, and writes that merge several frames. Lanes share nothing, so that a store that is slow
 * or down holds up its own lane only.
 *
 *   offer -> [queue] -> open, parse --records--> sink --refused--+
 *                            |                     |             v
 *                            +------bad lines------|------> dead letters
 *                                                  v             v
 *                                                 ack when both are durable
 *
 * When a sink throws, its frames are forgotten without ack, and the edge sends them again.
 */
export class Lane<B> {
  readonly #deps: LaneDeps<B>;
  readonly #queue: LaneQueue;
  readonly #running = new Set<Promise<void>>();
  #lingering: NodeJS.Timeout | null = null;
  #paused: NodeJS.Timeout | null = null;
  #failures = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(deps: LaneDeps<B>) {
    this.#deps = deps;
    this.#queue = new LaneQueue(deps.limits);
  }

  /** Takes a frame, or drops it without ack. Never throws. */
  offer(frame: QueuedFrame): void {
    const { lane, metrics } = this.#deps;
    metrics.bytes.inc({ lane }, frame.payload.length);
    const outcome = this.#closed ? 'dropped' : this.#queue.offer(frame);
    metrics.queueBytes.set({ lane }, this.#queue.bytes);
    if (outcome !== 'taken') {
      metrics.frames.inc({ lane, outcome });
      if (outcome === 'dropped') this.#warn('no room: frames are dropped, the edge sends them again', undefined);
      return;
    }
    if (this.#deps.lingerMs === 0 || this.#queue.waitingBytes >= WRITE_BYTES_MAX / 8) this.#pump();
    else this.#lingering ??= setTimeout(() => this.#pump(), this.#deps.lingerMs);
  }

  /** Bytes that wait or are being stored. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  open(): void {
    this.#closed = false;
  }

  /** Takes nothing more, finishes what is under way within `drainMsMax`; what waits comes again from the edge. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#lingering) clearTimeout(this.#lingering);
    if (this.#paused) clearTimeout(this.#paused);
    this.#lingering = null;
    this.#paused = null;
    this.#failures = 0;
    this.#queue.clear();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#deps.limits.drainMsMax);
    });
    await Promise.race([Promise.all(this.#running), deadline]);
    clearTimeout(timer);
  }

  #pump(): void {
    if (this.#lingering) clearTimeout(this.#lingering);
    this.#lingering = null;
    while (
      !this.#paused &&
      !this.#closed &&
      this.#queue.waiting > 0 &&
      this.#running.size < this.#deps.limits.writesInFlightMax
    ) {
      const write = this.#write().finally(() => {
        this.#running.delete(write);
        this.#deps.metrics.queueBytes.set({ lane: this.#deps.lane }, this.#queue.bytes);
        this.#pump();
      });
      this.#running.add(write);
    }
  }

  async #write(): Promise<void> {
    const taken: QueuedFrame[] = [];
    let works: Work<B>[] = [];
    try {
      works = await this.#collect(taken);
      await this.#settle(works);
      this.#failures = 0;
    } catch (error) {
      this.#failed(works, error);
    } finally {
      for (const frame of taken) this.#queue.release(frame);
    }
  }

  /** Opens waiting frames until the write is large enough; what it takes is in `taken`, whatever happens. */
  async #collect(taken: QueuedFrame[]): Promise<Work<B>[]> {
    const works: Work<B>[] = [];
    const { limits, parse, clock } = this.#deps;
    let records = 0;
    let bytes = 0;
    let turnAt = clock.monotonic();
    while (records < limits.recordsPerWriteMax && bytes < WRITE_BYTES_MAX) {
      const frame = this.#queue.take();
      if (!frame) break;
      taken.push(frame);
      const now = clock.now();
      const opened = openFrame(frame, now);
      const parsed = opened.ok
        ? parse(opened.header, opened.body, now)
        : { batch: null, letters: [opened.letter], lines: 0, rejected: 0 };
      const header = opened.ok ? opened.header : null;
      works.push({ frame, header, ack: opened.ack, parsed, refused: [], acknowledged: false });
      records += parsed.lines;
      bytes += opened.ok ? opened.body.length : 0;
      if (clock.monotonic() - turnAt > TURN_MS_MAX) {
        await breathe();
        turnAt = clock.monotonic();
      }
    }
    return works;
  }

  async #settle(works: readonly Work<B>[]): Promise<void> {
    try {
      await this.#store(works);
    } catch (error) {
      // A store that is down is down for all. Anything else may be the fault of one frame: the others go without it.
      if (works.length <= 1 || isGewuError(error, 'GEWU_STORE_UNAVAILABLE')) throw error;
      for (const work of works)
        if (!work.acknowledged) await this.#store([work]).catch((alone: unknown) => this.#failed([work], alone));
    }
  }

  async #store(works: readonly Work<B>[]): Promise<void> {
    const { lane, store, metrics } = this.#deps;
    const full = works.filter((w) => w.parsed.batch !== null);
    if (full.length > 0) {
      const done = metrics.writeSeconds.startTimer({ lane });
      const refusals = await store(full.map((w) => w.parsed.batch as B));
      done();
      for (const [i, work] of full.entries()) this.#addRefused(work, refusals[i] ?? []);
    }
    const clean = works.filter((w) => lettersOf(w).length === 0);
    for (const work of clean) this.#acknowledge(work);
    if (clean.length === works.length) return;
    const others = works.filter((w) => !w.acknowledged);
    await this.#deps.deadLetters.put(others.flatMap(lettersOf));
    for (const work of others) this.#acknowledge(work);
  }

  #addRefused(work: Work<B>, refusals: readonly Refusal[]): void {
    const { header } = work;
    const now = this.#deps.clock.now();
    work.refused = header === null ? [] : refusals.map((refusal) => refusedLetter(header, refusal, now));
  }

  #acknowledge(work: Work<B>): void {
    const { lane, metrics, clock } = this.#deps;
    const { frame, ack, parsed } = work;
    work.acknowledged = true;
    const dead = parsed.rejected + work.refused.length;
    if (ack) this.#deps.ack(frame.edge, ack);
    metrics.frames.inc({ lane, outcome: ack ? 'acked' : 'unacked' });
    metrics.records.inc({ lane, outcome: 'stored' }, parsed.lines - dead);
    metrics.records.inc({ lane, outcome: 'dead' }, dead);
    for (const { code } of lettersOf(work)) metrics.deadLetters.inc({ lane, code });
    metrics.ackSeconds.observe({ lane }, (clock.monotonic() - frame.arrivedAt) / 1000);
  }

  #failed(works: readonly Work<B>[], error: unknown): void {
    const { lane, limits, metrics } = this.#deps;
    metrics.frames.inc({ lane, outcome: 'failed' }, works.filter((w) => !w.acknowledged).length);
    this.#warn('a store failed: frames are not acknowledged, the edge sends them again', error);
    if (this.#closed || this.#paused) return;
    const pauseMs = Math.min(limits.pauseMsMax, limits.pauseMsMin * 2 ** this.#failures);
    this.#failures++;
    this.#paused = setTimeout(() => {
      this.#paused = null;
      this.#pump();
    }, pauseMs);
  }

  #warn(message: string, error: unknown): void {
    const now = this.#deps.clock.monotonic();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    this.#deps.log.warn({ err: error, lane: this.#deps.lane }, message);
  }
}

function lettersOf<B>({ parsed, refused }: Work<B>): DeadLetter[] {
  return refused.length === 0 ? parsed.letters : [...parsed.letters, ...refused];
}
