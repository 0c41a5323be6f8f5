import type { Kysely } from 'kysely';
import { type Clock, GewuError } from '#service/mod.ts';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrations/mod.ts';
import type { Schema } from './schema.ts';

/**
 * Runs what is missing, in order, in one transaction together with its record: after a crash either all of it
 * is there or nothing. Replicas that start together wait for each other. Returns the names that ran.
 * Throws GEWU_STORE_VERSION when the database is of a newer Gewu.
 */
export async function migrate(database: Database, clock: Clock): Promise<string[]> {
  return database.transaction(
    async (trx) => {
      await trx.schema
        .createTable('schema_migrations')
        .ifNotExists()
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .execute();
      const done = new Set((await trx.selectFrom('schema_migrations').select('name').execute()).map((r) => r.name));
      const foreign = [...done].filter((name) => !MIGRATIONS.some((m) => m.name === name));
      if (foreign.length > 0) throw new GewuError('GEWU_STORE_VERSION', `the database knows ${foreign.join(', ')}, we do not`);
      const missing = MIGRATIONS.filter((m) => !done.has(m.name));
      for (const migration of missing) {
        await migration.up(trx as Kysely<Schema>, database.store);
        await trx.insertInto('schema_migrations').values({ name: migration.name, at: clock.now() }).execute();
      }
      return missing.map((m) => m.name);
    },
    { locks: [{ name: 'gewu:migrate', mode: 'exclusive' }] },
  );
}
