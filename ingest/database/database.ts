import type { Kysely, Transaction } from 'kysely';
import type { Service } from '#service/mod.ts';
import type { Schema } from './schema.ts';

/** Both `Kysely` and a transaction of it: what a query function takes. */
export type Queries = Kysely<Schema> | Transaction<Schema>;

/** A name that is locked until the end of the transaction; `shared` lets others share it. */
export interface Lock {
  name: string;
  mode: 'exclusive' | 'shared';
}

export interface TransactionOptions {
  /** Taken at the beginning, in one global order, so that two transactions never wait for each other in a ring. */
  locks?: readonly Lock[];
}

/**
 * The centre's database. `start()` opens it, refuses a second SQLite process (GEWU_STORE_LOCKED) and runs the
 * migrations. Everything that goes through `kysely` turns a lost connection into GEWU_STORE_UNAVAILABLE.
 */
export interface Database extends Service {
  readonly store: 'sqlite' | 'postgres';
  /** Reads and single statements. Inside `transaction` use only what it hands you: the store may have one connection. */
  readonly kysely: Kysely<Schema>;
  /**
   * Runs `work` in one transaction; durable when it resolves, and nothing of it when it rejects.
   * A deadlock, a serialisation failure or a `StoreConflict` thrown by `work` runs it again, five times at most:
   * `work` must have no effect outside the database.
   */
  transaction<T>(work: (trx: Transaction<Schema>) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Resolves when the store answers, for `/readyz`. Throws GEWU_STORE_UNAVAILABLE. */
  ping(): Promise<void>;
}

/** Thrown inside a transaction when an optimistic lock has failed: it is run again. */
export class StoreConflict extends Error {
  constructor(what: string) {
    super(`${what} was changed by somebody else`);
    this.name = 'StoreConflict';
  }
}
