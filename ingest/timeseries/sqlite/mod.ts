import { joined, type ReadingsBlock } from '../../lines/mod.ts';
import type { LineRefusal } from '../../ports.ts';
import type { SqliteTimeSeriesConfig } from '../config.ts';
import { checkCount, checkDevices, checkRange } from '../query.ts';
import type { LatestReading, RangeQuery, RangeResult, TimeSeriesDeps, TimeSeriesStore } from '../store.ts';
import { Upkeep } from '../upkeep.ts';
import { WorkerLink } from './link.ts';
import type { Refusals } from './writer.ts';

/** Calls that wait for a thread at most; what is beyond is told to come again. */
const WRITES_WAITING_MAX = 16;
const QUERIES_WAITING_MAX = 64;

/**
 * The embedded store: SQLite in two threads of its own, so that neither a commit nor a long query stops the process.
 *
 *   write --text--> [writer thread: scan, insert, commit (fsync)] --> file (WAL)
 *   range, latest, count ---------> [reader thread: snapshot] ---------^
 *
 * One process only: `start` throws GEWU_STORE_LOCKED when another one has the file.
 */
export class SqliteStore implements TimeSeriesStore {
  readonly #deps: TimeSeriesDeps;
  readonly #writer: WorkerLink;
  readonly #reader: WorkerLink;
  readonly #upkeep: Upkeep;

  constructor({ file, retention }: SqliteTimeSeriesConfig, deps: TimeSeriesDeps) {
    this.#deps = deps;
    this.#writer = new WorkerLink({ role: 'writer', file, retention }, WRITES_WAITING_MAX);
    this.#reader = new WorkerLink({ role: 'reader', file, retention }, QUERIES_WAITING_MAX);
    this.#upkeep = new Upkeep(deps.log, () => this.#maintain());
  }

  async start(): Promise<void> {
    try {
      this.#writer.start();
      this.#reader.start();
      await this.#writer.call('open');
      await this.#reader.call('open');
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#upkeep.start();
  }

  async stop(): Promise<void> {
    await this.#upkeep.stop();
    await this.#reader.stop();
    await this.#writer.stop();
  }

  async write(blocks: readonly ReadingsBlock[]): Promise<LineRefusal[][]> {
    if (blocks.length === 0) return [];
    // A copy of its own, because the thread takes the memory with it.
    const bytes = joined(blocks.map((b) => b.bytes));
    const refusals = await this.#writer.call<Refusals>('write', bytes);
    if (refusals.length === 0) return blocks.map(() => []);
    const reasons = new Map(refusals);
    let first = 0;
    return blocks.map((block) => {
      const refused = block.lines().flatMap(({ index, line }, i): LineRefusal[] => {
        const reason = reasons.get(first + i);
        return reason === undefined ? [] : [{ index, line, code: 'GEWU_STORE_REJECTED', reason }];
      });
      first += block.count;
      return refused;
    });
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    return this.#reader.call('range', checkRange(query), this.#deps.clock.now());
  }

  async latest(devices: readonly string[]): Promise<Map<string, LatestReading>> {
    return new Map(await this.#reader.call<[string, LatestReading][]>('latest', checkDevices(devices)));
  }

  async count(query: { from: number; to: number; device?: string }): Promise<number> {
    checkCount(query);
    return this.#reader.call('count', query);
  }

  maintain(): Promise<void> {
    return this.#upkeep.run();
  }

  async #maintain(): Promise<void> {
    // One short step a call, so that writes get their turn in between.
    while (!this.#upkeep.stopping && (await this.#writer.call<boolean>('maintain', this.#deps.clock.now())));
  }
}

export function createSqliteStore(config: SqliteTimeSeriesConfig, deps: TimeSeriesDeps): TimeSeriesStore {
  return new SqliteStore(config, deps);
}
