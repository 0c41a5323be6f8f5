import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './mod.ts';

/** Dead letters, edges, health, API tokens. */
export const operationsMigration: Migration = {
  name: '0002-operations',
  async up(db) {
    await createDeadLetters(db);
    await createHealth(db);
    await db.schema
      .createTable('api_tokens')
      .addColumn('sha256', 'text', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('roles_json', 'text', (c) => c.notNull())
      .addColumn('department', 'text')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint')
      .execute();
  },
};

async function createDeadLetters(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('dead_letters')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('ts', 'bigint', (c) => c.notNull())
    .addColumn('edge', 'text', (c) => c.notNull())
    .addColumn('hop', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('code', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('dead_letters_by_time').on('dead_letters').columns(['ts', 'id']).execute();
  await db.schema.createIndex('dead_letters_by_edge').on('dead_letters').columns(['edge', 'ts']).execute();
}

async function createHealth(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('edges')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('registered_at', 'bigint', (c) => c.notNull())
    .addColumn('secret_sha256', 'text')
    .addColumn('site_json', 'text')
    .addColumn('site_revision', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('health')
    .addColumn('edge', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('last_seen', 'bigint', (c) => c.notNull())
    .addColumn('values_json', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('health_key', ['edge', 'kind', 'id'])
    .execute();
  await db.schema
    .createTable('health_history')
    .addColumn('edge', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('ts', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('health_history_key', ['edge', 'kind', 'id', 'ts'])
    .execute();
}
