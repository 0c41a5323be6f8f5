import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { type ServerProcess, startPostgres } from '#cli/servers/mod.ts';
import { createDatabase, type Database, type DatabaseConfig } from '#ingest/database/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { tempDir } from '../../support/temp.ts';

export interface StoreUnderTest {
  store: 'sqlite' | 'postgres';
  /** An empty store; `own` gives one that no test has ever used. */
  fresh(options?: { own?: boolean }): Promise<DatabaseConfig>;
  /** The PostgreSQL server, to be killed and restarted. */
  server(): ServerProcess;
}

export type Suite = (store: StoreUnderTest) => void;

/** The same suites on both stores; PostgreSQL is a real server, one for the file: its start takes seconds. */
export function onEachStore(suite: Suite): void {
  describe('sqlite', () => {
    suite({
      store: 'sqlite',
      fresh: async () => ({ store: 'sqlite', file: join(await tempDir(), 'centre.db') }),
      server: () => {
        throw new Error('SQLite has no server');
      },
    });
  });
  describe('postgres', () => {
    let server: ServerProcess;
    let dir: string;
    beforeAll(async () => {
      dir = await tempDir({ keep: true });
      server = await startPostgres({ dir });
      // No test here pulls the plug of the machine, and syncing takes most of the time of a suite of small commits.
      await as(server, 'postgres', async (client) => {
        await client.query('alter system set fsync = off');
        await client.query('select pg_reload_conf()');
      });
    });
    afterAll(async () => {
      await server?.stop();
      await rm(dir, { recursive: true, force: true });
    });
    suite({
      store: 'postgres',
      fresh: ({ own = false } = {}) => (own ? newPostgres(server) : emptyPostgres(server)),
      server: () => server,
    });
  });
}

const SHARED = 'centre';

/** One database for all tests of the file, emptied: making a new one takes a third of a second. */
async function emptyPostgres(server: ServerProcess): Promise<DatabaseConfig> {
  await as(server, 'postgres', async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [SHARED]);
    if (rowCount === 0) await client.query(`create database ${SHARED}`);
  });
  await as(server, SHARED, async (client) => {
    const { rows } = await client.query<{ tablename: string }>(
      "select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'",
    );
    // Deleting a handful of rows is quicker than truncating; without the triggers, the order does not matter.
    await client.query(`set session_replication_role = replica; ${rows.map((r) => `delete from ${r.tablename};`).join(' ')}`);
  });
  return { store: 'postgres', url: urlOf(server, SHARED), poolMax: 8 };
}

async function newPostgres(server: ServerProcess): Promise<DatabaseConfig> {
  const name = `t${randomBytes(6).toString('hex')}`;
  await as(server, 'postgres', (client) => client.query(`create database ${name}`));
  return { store: 'postgres', url: urlOf(server, name), poolMax: 8 };
}

function urlOf(server: ServerProcess, database: string): string {
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return url.href;
}

async function as(server: ServerProcess, database: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(server, database) });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Opens a database and closes it after the test. */
export async function openDatabase(config: DatabaseConfig, clock = systemClock): Promise<Database> {
  const database = createDatabase({ config, clock, log: silentLog, metrics: createMetrics() });
  await database.start();
  onTestFinished(() => database.stop());
  return database;
}
