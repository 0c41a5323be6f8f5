import type { ReadingsBlock } from '../../lines/mod.ts';
import type { LineRefusal } from '../../ports.ts';
import type { InfluxdbTimeSeriesConfig } from '../config.ts';
import { checkCount, checkDevices, checkRange } from '../query.ts';
import type { LatestReading, RangeQuery, RangeResult, TimeSeriesDeps, TimeSeriesStore } from '../store.ts';
import { Upkeep } from '../upkeep.ts';
import { InfluxClient } from './client.ts';
import { DirtyHours } from './dirty.ts';
import { InfluxReader } from './reader.ts';
import { InfluxRollup } from './rollup.ts';
import { InfluxWriter } from './writer.ts';

/**
 * A real InfluxDB 1.x: retention policies `raw`, `m1` and `h1`, one measurement a kind. Any number of replicas may
 * write to one database.
 *
 *   write --line protocol + notes of dirty hours--> raw --SELECT INTO (a job)--> m1, h1
 */
export class InfluxdbStore implements TimeSeriesStore {
  readonly #deps: TimeSeriesDeps;
  readonly #client: InfluxClient;
  readonly #writer: InfluxWriter;
  readonly #reader: InfluxReader;
  readonly #upkeep: Upkeep;

  constructor(config: InfluxdbTimeSeriesConfig, deps: TimeSeriesDeps) {
    this.#deps = deps;
    this.#client = new InfluxClient(config);
    const dirty = new DirtyHours(this.#client);
    const rollup = new InfluxRollup(this.#client, dirty, { database: config.database, clock: deps.clock, log: deps.log });
    this.#writer = new InfluxWriter(this.#client, dirty);
    this.#reader = new InfluxReader(this.#client, dirty, config.retention);
    this.#upkeep = new Upkeep(deps.log, () => rollup.run(() => this.#upkeep.stopping));
  }

  /** Makes the database and its retention policies. Throws GEWU_STORE_UNAVAILABLE when the server does not answer. */
  async start(): Promise<void> {
    await this.#client.open();
    await this.#client.prepare().catch((error: unknown) => {
      this.#client.close();
      throw error;
    });
    this.#upkeep.start();
  }

  async stop(): Promise<void> {
    await this.#upkeep.stop();
    this.#client.close();
  }

  write(blocks: readonly ReadingsBlock[]): Promise<LineRefusal[][]> {
    return this.#writer.write(blocks);
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    return this.#reader.range(checkRange(query), this.#deps.clock.now());
  }

  async latest(devices: readonly string[]): Promise<Map<string, LatestReading>> {
    return this.#reader.latest(checkDevices(devices));
  }

  async count(query: { from: number; to: number; device?: string }): Promise<number> {
    checkCount(query);
    return this.#reader.count(query);
  }

  maintain(): Promise<void> {
    return this.#upkeep.run();
  }
}

export function createInfluxdbStore(config: InfluxdbTimeSeriesConfig, deps: TimeSeriesDeps): TimeSeriesStore {
  return new InfluxdbStore(config, deps);
}
