import type { EventRecord } from '#grid/wire/mod.ts';
import { type Clock, Counter, type ErrorCode, Histogram, isGewuError, type Log, type Metrics } from '#service/mod.ts';
import type { Database } from '../database/mod.ts';
import { isPoison } from '../database/mod.ts';
import type { EventsSink, Verdict } from '../ports.ts';
import { type AcceptContext, acceptEvents, locksOf, type Outcome, resumeEvents } from './accept.ts';
import { type IsWorkedOn, type WindowsOf, workAt } from './maintenance.ts';
import { CaseNumbers } from './numbers.ts';
import { DEFAULT_FILING_POLICY, readPolicy } from './policy.ts';

/** Events in one transaction: one sync to disk for all of them, and locks that nobody waits for long. */
const BATCH_EVENTS = 64;
/** Events under maintenance windows that one look considers. */
const WORKED_ON_MAX = 10_000;

export interface EventIntakeDependencies {
  database: Database;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  timeZone: string;
  windowsOf: WindowsOf;
  /** Called after the commit, for each event. */
  announce(record: EventRecord, outcome: Outcome): void;
}

/**
 * Takes events in batches, each batch one transaction; an event and the changes of its case are never in two.
 * When a batch fails by one of its events, each goes alone, and only that one is refused.
 */
export class EventIntake implements EventsSink {
  readonly #deps: EventIntakeDependencies;
  readonly #counted: Counter<'result'>;
  readonly #batchSeconds: Histogram;

  constructor(dependencies: EventIntakeDependencies) {
    this.#deps = dependencies;
    const registers = [dependencies.metrics];
    this.#counted = new Counter({
      name: 'gewu_centre_events_total',
      help: 'Revisions of events: new, known (a repeat or an older one), refused',
      labelNames: ['result'],
      registers,
    });
    this.#batchSeconds = new Histogram({
      name: 'gewu_centre_events_batch_seconds',
      help: 'Time to store a batch of events with their cases',
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    });
  }

  async accept(events: readonly EventRecord[]): Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    for (let i = 0; i < events.length; i += BATCH_EVENTS) {
      const batch = events.slice(i, i + BATCH_EVENTS);
      const outcomes = await this.#storeBatch(batch);
      for (const [j, outcome] of outcomes.entries()) {
        verdicts.push(outcome.verdict);
        this.#counted.inc({ result: outcome.verdict.ok ? (outcome.fresh ? 'new' : 'known') : 'refused' });
        this.#deps.announce(batch[j] as EventRecord, outcome);
      }
    }
    return verdicts;
  }

  /** Carries to their cases what was recorded under a maintenance window that is over, and is still so. Returns how many. */
  async resume(): Promise<number> {
    const { database, clock, windowsOf, announce } = this.#deps;
    const rows = await database.kysely
      .selectFrom('events')
      .select(['origin', 'source', 'record_json'])
      .where('worked_on', '=', 1)
      .where('cleared_at', 'is', null)
      .limit(WORKED_ON_MAX)
      .execute();
    if (rows.length === 0) return 0;
    const now = clock.now();
    const isWorkedOn = await workAt(windowsOf, [now]);
    const over = rows.filter((row) => !isWorkedOn(row, now)).map((row) => JSON.parse(row.record_json) as EventRecord);
    let count = 0;
    for (let i = 0; i < over.length; i += BATCH_EVENTS) {
      const batch = over.slice(i, i + BATCH_EVENTS);
      const resumed = await this.#inOne(batch, isWorkedOn, (context) => resumeEvents(context, batch));
      for (const { record, outcome } of resumed) announce(record, outcome);
      count += resumed.length;
    }
    return count;
  }

  async #storeBatch(batch: readonly EventRecord[]): Promise<Outcome[]> {
    const end = this.#batchSeconds.startTimer();
    try {
      return await this.#store(batch);
    } catch (error) {
      if (!isPoison(error)) throw error;
      if (batch.length === 1) return [this.#refuse(batch[0] as EventRecord, error)];
      const outcomes: Outcome[] = [];
      for (const record of batch) outcomes.push(...(await this.#storeBatch([record])));
      return outcomes;
    } finally {
      end();
    }
  }

  async #store(batch: readonly EventRecord[]): Promise<Outcome[]> {
    const isWorkedOn = await workAt(
      this.#deps.windowsOf,
      batch.map((r) => r.data.lastSeenAt),
    );
    return this.#inOne(batch, isWorkedOn, (context) => acceptEvents(context, batch));
  }

  #inOne<T>(batch: readonly EventRecord[], isWorkedOn: IsWorkedOn, work: (context: AcceptContext) => Promise<T>): Promise<T> {
    const { database, clock, timeZone } = this.#deps;
    return database.transaction(
      async (db) => {
        const policy = (await readPolicy(db)) ?? DEFAULT_FILING_POLICY;
        const at = clock.now();
        return work({ db, at, numbers: new CaseNumbers({ db, at, timeZone }), policy, isWorkedOn });
      },
      { locks: batch.flatMap(locksOf) },
    );
  }

  #refuse(record: EventRecord, error: unknown): Outcome {
    const code: ErrorCode = isGewuError(error) ? error.code : 'GEWU_STORE_REJECTED';
    const reason = (error as Error).message;
    this.#deps.log.error({ event: record.id, code, reason }, 'an event could not be stored');
    return { verdict: { ok: false, code, reason }, fresh: false, case: null, changes: [] };
  }
}
