import { setTimeout as pause } from 'node:timers/promises';
import { Kysely, sql, type Transaction } from 'kysely';
import { type Clock, Counter, GewuError, type Log, type Metrics } from '#service/mod.ts';
import type { DatabaseConfig } from './config.ts';
import { type Database, StoreConflict, type TransactionOptions } from './database.ts';
import { failureOf, tellFailures, toStoreError } from './failures.ts';
import { migrate } from './migrate.ts';
import { lockPostgres, postgresDialect } from './postgres.ts';
import type { Schema } from './schema.ts';
import { lockSqlite, sqliteDialect } from './sqlite.ts';

export interface DatabaseDependencies {
  config: DatabaseConfig;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

const ATTEMPTS_MAX = 5;
/** Transactions that run or wait; beyond it callers are told to come again rather than fill the memory. */
const TRANSACTIONS_MAX = 2000;
const AGAIN_MS_MAX = 50;

/** Builds the centre's database on SQLite or PostgreSQL; `start()` opens it. */
export function createDatabase({ config, clock, log, metrics }: DatabaseDependencies): Database {
  return new KyselyDatabase(config, clock, log, metrics);
}

class KyselyDatabase implements Database {
  readonly store: 'sqlite' | 'postgres';
  readonly #config: DatabaseConfig;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #again: Counter;
  #kysely: Kysely<Schema> | null = null;
  #unlock: (() => void) | null = null;
  #transactions = 0;

  constructor(config: DatabaseConfig, clock: Clock, log: Log, metrics: Metrics) {
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
    this.store = config.store;
    this.#again = new Counter({
      name: 'gewu_database_transactions_repeated_total',
      help: 'Transactions that ran again after a conflict or a deadlock',
      registers: [metrics],
    });
  }

  get kysely(): Kysely<Schema> {
    if (this.#kysely === null) throw new GewuError('GEWU_STORE_UNAVAILABLE', 'the database is not open');
    return this.#kysely;
  }

  async start(): Promise<void> {
    if (this.#kysely !== null) return;
    try {
      if (this.#config.store === 'sqlite') this.#unlock = lockSqlite(this.#config.file);
      const dialect =
        this.#config.store === 'sqlite' ? sqliteDialect(this.#config.file) : postgresDialect(this.#config, this.#log);
      this.#kysely = new Kysely<Schema>({ dialect: tellFailures(dialect) });
      const ran = await migrate(this, this.#clock);
      this.#log.info({ store: this.store, migrations: ran }, 'the database is open');
    } catch (error) {
      await this.stop();
      throw toStoreError(error);
    }
  }

  async stop(): Promise<void> {
    const open = this.#kysely;
    this.#kysely = null;
    await open?.destroy();
    this.#unlock?.();
    this.#unlock = null;
  }

  async ping(): Promise<void> {
    await sql`select 1`.execute(this.kysely);
  }

  async transaction<T>(work: (trx: Transaction<Schema>) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (this.#transactions >= TRANSACTIONS_MAX)
      throw new GewuError('GEWU_STORE_UNAVAILABLE', `${TRANSACTIONS_MAX} transactions are waiting`);
    this.#transactions++;
    try {
      return await this.#repeat(work, options);
    } finally {
      this.#transactions--;
    }
  }

  async #repeat<T>(work: (trx: Transaction<Schema>) => Promise<T>, { locks = [] }: TransactionOptions): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.kysely.transaction().execute(async (trx) => {
          if (this.store === 'postgres' && locks.length > 0) await lockPostgres(trx, locks);
          return work(trx);
        });
      } catch (error) {
        const again = error instanceof StoreConflict || failureOf(error) === 'again';
        if (!again) throw error;
        if (attempt === ATTEMPTS_MAX)
          throw new GewuError('GEWU_STORE_UNAVAILABLE', `gave up after ${attempt} conflicts`, { cause: error });
        this.#again.inc();
        await pause(Math.random() * AGAIN_MS_MAX);
      }
    }
  }
}
