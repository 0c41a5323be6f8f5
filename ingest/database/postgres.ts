import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Dialect, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import type { Log } from '#service/mod.ts';
import type { PostgresConfig } from './config.ts';
import type { Lock } from './database.ts';
import type { Schema } from './schema.ts';

const CONNECT_MS_MAX = 5000;
const STATEMENT_MS_MAX = 30_000;
const LOCK_MS_MAX = 10_000;
const INT8_OID = 20;

/** Of every connection of ours; `name` is what the server's list of activity shows. */
export function connectionOptions(config: PostgresConfig, name: string): pg.ClientConfig {
  return {
    connectionString: config.url,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    keepAlive: true,
    application_name: name,
    statement_timeout: STATEMENT_MS_MAX,
    lock_timeout: LOCK_MS_MAX,
    idle_in_transaction_session_timeout: STATEMENT_MS_MAX,
    // A server that is gone without a word (pulled cable) must not hang us.
    query_timeout: STATEMENT_MS_MAX + 5000,
    ...(config.tls ? { ssl: tlsOptions(config.tls) } : {}),
  };
}

/** Kysely on `pg`. A connection that dies is logged; the next query opens another. */
export function postgresDialect(config: PostgresConfig, log: Log): Dialect {
  const pool = new pg.Pool({
    ...connectionOptions(config, 'gewu'),
    max: config.poolMax,
    idleTimeoutMillis: 30_000,
    // All our int8 are UTC ms or counts, far below 2^53.
    types: { getTypeParser: (oid, format) => (oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format)) },
  });
  pool.on('error', (error) => log.warn({ error: error.message }, 'an idle PostgreSQL connection was lost'));
  // The pool listens to idle connections only. One that dies between two statements of a transaction would end the
  // process; the transaction itself fails with its next statement.
  pool.on('connect', (client) =>
    client.on('error', (error) => log.debug({ error: error.message }, 'a PostgreSQL connection failed')),
  );
  return new PostgresDialect({ pool });
}

function tlsOptions(tls: NonNullable<PostgresConfig['tls']>) {
  return {
    rejectUnauthorized: true,
    ...(tls.caFile ? { ca: readFileSync(tls.caFile) } : {}),
    ...(tls.certFile ? { cert: readFileSync(tls.certFile) } : {}),
    ...(tls.keyFile ? { key: readFileSync(tls.keyFile) } : {}),
  };
}

/**
 * Advisory locks until the end of the transaction, one statement. They are taken in the order of their keys:
 * everybody's order, so no two transactions wait for each other in a ring. A name that is wanted both ways is exclusive.
 */
export async function lockPostgres(trx: Transaction<Schema>, locks: readonly Lock[]): Promise<void> {
  const modes = new Map<bigint, boolean>();
  for (const { name, mode } of locks) {
    const key = createHash('sha256').update(name).digest().readBigInt64BE();
    modes.set(key, modes.get(key) === true || mode === 'exclusive');
  }
  const sorted = [...modes].sort(([a], [b]) => (a < b ? -1 : 1));
  const keys = sorted.map(([key]) => key.toString());
  const exclusive = sorted.map(([, mode]) => mode);
  await sql`
    select case when l.exclusive
      then pg_advisory_xact_lock(l.key)::text
      else pg_advisory_xact_lock_shared(l.key)::text
    end
    from unnest(${keys}::bigint[], ${exclusive}::boolean[]) with ordinality as l(key, exclusive, position)
    order by l.position`.execute(trx);
}
