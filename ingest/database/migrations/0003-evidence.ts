import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './mod.ts';

/** The audit trail, grants and what they open, the keys that edges sign with. */
export const evidenceMigration: Migration = {
  name: '0003-evidence',
  async up(db, store) {
    await createAudit(db);
    await protectAudit(db, store);
    await createGrants(db);
    await createKeys(db);
    await db.schema.alterTable('case_evidence').addColumn('signed_json', 'text').execute();
  },
};

async function createAudit(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('audit')
    .addColumn('seq', 'bigint', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('roles_json', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('purpose', 'text')
    .addColumn('detail_json', 'text', (c) => c.notNull())
    .addColumn('prev_hash', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('audit_by_actor').on('audit').columns(['actor', 'seq']).execute();
  await db.schema.createIndex('audit_by_subject').on('audit').columns(['subject', 'seq']).execute();
  await db.schema.createIndex('audit_by_action').on('audit').columns(['action', 'seq']).execute();
  // What edges have written into their own trails, as they told it.
  await db.schema
    .createTable('edge_audit')
    .addColumn('edge', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('entry_json', 'text', (c) => c.notNull())
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('edge_audit_key', ['edge', 'hash'])
    .execute();
}

/** Lines are added and never changed: the database itself refuses it, whatever a mistake of ours may try. */
async function protectAudit(db: Kysely<Schema>, store: 'sqlite' | 'postgres'): Promise<void> {
  if (store === 'postgres')
    await sql`create function gewu_append_only() returns trigger language plpgsql as
      $$ begin raise exception '% is append-only', tg_table_name; end $$`.execute(db);
  for (const table of ['audit', 'edge_audit'])
    for (const change of ['update', 'delete']) {
      const head = `create trigger ${table}_no_${change} before ${change} on ${table}`;
      const body =
        store === 'postgres'
          ? 'for each row execute function gewu_append_only()'
          : `begin select raise(abort, '${table} is append-only'); end`;
      await sql.raw(`${head} ${body}`).execute(db);
    }
}

async function createGrants(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('grants')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('subject_of', 'text', (c) => c.notNull())
    .addColumn('subject_id', 'text', (c) => c.notNull())
    .addColumn('edge', 'text', (c) => c.notNull())
    .addColumn('holder', 'text', (c) => c.notNull())
    .addColumn('roles_json', 'text', (c) => c.notNull())
    .addColumn('purpose', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('ended_by', 'text')
    .addColumn('uses', 'integer', (c) => c.notNull())
    .addColumn('last_used_at', 'bigint')
    .addColumn('answer', 'text')
    .execute();
  await db.schema.createIndex('grants_by_time').on('grants').columns(['created_at', 'id']).execute();
  await db.schema.createIndex('grants_by_holder').on('grants').columns(['holder', 'created_at', 'id']).execute();
  await db.schema.createIndex('grants_by_end').on('grants').columns(['ended_at', 'ends_at']).execute();
  await db.schema
    .createTable('grant_files')
    .addColumn('grant_id', 'text', (c) => c.notNull().references('grants.id'))
    .addColumn('sha256', 'text', (c) => c.notNull())
    .addColumn('media_type', 'text', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('signed_json', 'text', (c) => c.notNull())
    .addColumn('file_key', 'text')
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('grant_files_key', ['grant_id', 'sha256'])
    .execute();
}

async function createKeys(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('edge_keys')
    .addColumn('edge', 'text', (c) => c.notNull())
    .addColumn('key_id', 'text', (c) => c.notNull())
    .addColumn('public_key', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('first_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('decided_at', 'bigint')
    .addColumn('decided_by', 'text')
    .addPrimaryKeyConstraint('edge_keys_key', ['edge', 'key_id'])
    .execute();
}
