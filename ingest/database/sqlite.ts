import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { GewuError } from '#service/mod.ts';

/** Prepared statements kept; Kysely's SQL texts are few, lists of different length make some more. */
const STATEMENTS_MAX = 500;
/** Another process (a backup, `sqlite3`) may hold the file for a moment. */
const BUSY_MS_MAX = 5000;

/**
 * Kysely on `node:sqlite`: one connection, on which Kysely itself serialises queries and transactions
 * (`SqliteAdapter` says there is only one). WAL with synchronous=FULL: a commit is on disk when it returns.
 */
export function sqliteDialect(file: string): Dialect {
  return {
    createDriver: () => new SqliteDriver(file),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

class SqliteDriver implements Driver {
  readonly #file: string;
  #connection: SqliteConnection | null = null;
  constructor(file: string) {
    this.#file = file;
  }

  async init(): Promise<void> {
    const db = new DatabaseSync(this.#file, { timeout: BUSY_MS_MAX, enableForeignKeyConstraints: true });
    db.exec('pragma journal_mode = wal; pragma synchronous = full;');
    this.#connection = new SqliteConnection(db);
  }
  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#connection === null) throw new GewuError('GEWU_STORE_UNAVAILABLE', `${this.#file} is not open`);
    return this.#connection;
  }
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    // IMMEDIATE takes the write lock now: a busy file shows here, not in the middle.
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite rolls back by itself on a full disk or an I/O error; a second rollback would hide that error.
    if ((connection as SqliteConnection).inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {
    this.#connection?.close();
    this.#connection = null;
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync;
  /** `rows`: it returns rows; asked once, because the answer lists every column. */
  readonly #statements = new Map<string, { statement: StatementSync; rows: boolean }>();
  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, rows } = this.#prepare(query.sql);
    const parameters = query.parameters as SQLInputValue[];
    if (rows) return { rows: statement.all(...parameters) as R[] };
    const { changes } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  // biome-ignore lint/correctness/useYield: the interface wants it, nobody here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported: page with a cursor');
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): { statement: StatementSync; rows: boolean } {
    const known = this.#statements.get(sql);
    if (known) return known;
    if (this.#statements.size >= STATEMENTS_MAX) this.#statements.delete(this.#statements.keys().next().value as string);
    const statement = this.#db.prepare(sql);
    const prepared = { statement, rows: statement.columns().length > 0 };
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/**
 * Holds `FILE.lock` for as long as the process lives: an exclusive SQLite transaction on a file of its own, which the
 * kernel gives back when the process dies, however it dies. Throws GEWU_STORE_LOCKED. Returns what releases it.
 */
export function lockSqlite(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('pragma journal_mode = delete; begin exclusive');
  } catch (error) {
    lock.close();
    if (!/locked|busy/i.test((error as Error).message)) throw error;
    throw new GewuError('GEWU_STORE_LOCKED', `${file} is in use by another process`, { cause: error });
  }
  return () => lock.close();
}
