import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult, TransactionSettings } from 'kysely';
import { GewuError } from '#service/mod.ts';

/** What a failed statement means. */
export type Failure = 'unavailable' | 'again' | 'refused';

/** 40001 serialisation, 40P01 deadlock, 55P03 lock not available. */
const AGAIN = new Set(['40001', '40P01', '55P03']);
/** 08 connection, 53 resources (disk full, too many connections), 57 operator intervention, 58 system error; 25P03 idle in transaction. */
const UNAVAILABLE = /^(08|53|57|58)|^25P03$/;
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN']);
/** Primary result codes of SQLite: busy, locked, no memory, read only, I/O error, full, cannot open. */
const SQLITE_UNAVAILABLE = new Set([5, 6, 7, 8, 10, 13, 14]);
/** `pg` has no codes for these. */
const PG_LOST =
  /connection terminated|connection timeout|timeout exceeded|query read timeout|not queryable|connection error|driver has already been destroyed|after calling end/i;

export function failureOf(error: unknown): Failure {
  const { code, errcode, message = '' } = error as { code?: string; errcode?: number; message?: string };
  if (typeof errcode === 'number') return SQLITE_UNAVAILABLE.has(errcode & 0xff) ? 'unavailable' : 'refused';
  if (code !== undefined && AGAIN.has(code)) return 'again';
  if (code !== undefined && (NETWORK.has(code) || (code.length === 5 && UNAVAILABLE.test(code)))) return 'unavailable';
  if (PG_LOST.test(message)) return 'unavailable';
  return 'refused';
}

/** A store that does not answer becomes GEWU_STORE_UNAVAILABLE; every other error stays what it is. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof GewuError || failureOf(error) !== 'unavailable') return error;
  return new GewuError('GEWU_STORE_UNAVAILABLE', (error as Error).message, { cause: error });
}

async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toStoreError(error);
  }
}

/** The same dialect, whose driver says GEWU_STORE_UNAVAILABLE: so every user of Kysely gets it, without doing anything. */
export function tellFailures(dialect: Dialect): Dialect {
  return {
    createDriver: () => new TellingDriver(dialect.createDriver()),
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  };
}

class TellingConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  constructor(inner: DatabaseConnection) {
    this.inner = inner;
  }
  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return told(this.inner.executeQuery<R>(query));
  }
  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.inner.streamQuery<R>(query, chunkSize);
  }
}

class TellingDriver implements Driver {
  readonly #inner: Driver;
  constructor(inner: Driver) {
    this.#inner = inner;
  }
  init(): Promise<void> {
    return told(this.#inner.init());
  }
  async acquireConnection(): Promise<DatabaseConnection> {
    return new TellingConnection(await told(this.#inner.acquireConnection()));
  }
  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    return told(this.#inner.beginTransaction((connection as TellingConnection).inner, settings));
  }
  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return told(this.#inner.commitTransaction((connection as TellingConnection).inner));
  }
  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return told(this.#inner.rollbackTransaction((connection as TellingConnection).inner));
  }
  releaseConnection(connection: DatabaseConnection): Promise<void> {
    return this.#inner.releaseConnection((connection as TellingConnection).inner);
  }
  destroy(): Promise<void> {
    return this.#inner.destroy();
  }
}

/** 22 data exception, 23 integrity violation. */
const POISON = /^(22|23)/;
/** Primary result codes of SQLite: too big, constraint, mismatch, range. */
const SQLITE_POISON = new Set([18, 19, 20, 25]);

/**
 * Whether the record itself is to blame, so that it may be refused and its neighbours go on. Anything else (a store that
 * is away or shutting down, a table that is missing) fails for all alike and must be tried again.
 */
export function isPoison(error: unknown): boolean {
  if (error instanceof GewuError) return error.remedy === 'reject';
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return true;
  const { code, errcode } = error as { code?: string; errcode?: number };
  if (typeof errcode === 'number') return SQLITE_POISON.has(errcode & 0xff);
  return code !== undefined && code.length === 5 && POISON.test(code);
}
