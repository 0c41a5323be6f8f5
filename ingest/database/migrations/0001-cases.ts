import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './mod.ts';

/** Events, cases and what hangs on a case. */
export const casesMigration: Migration = {
  name: '0001-cases',
  async up(db) {
    await createEvents(db);
    await createCases(db);
    await createCaseParts(db);
    await createFiling(db);
  },
};

async function createEvents(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('events')
    .addColumn('subject', 'text', (c) => c.primaryKey())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('edge', 'text', (c) => c.notNull())
    .addColumn('class_key', 'text', (c) => c.notNull())
    .addColumn('severity', 'text', (c) => c.notNull())
    .addColumn('confidence', 'double precision', (c) => c.notNull())
    .addColumn('lon', 'double precision', (c) => c.notNull())
    .addColumn('lat', 'double precision', (c) => c.notNull())
    .addColumn('error_radius_m', 'double precision', (c) => c.notNull())
    .addColumn('cell', 'text', (c) => c.notNull())
    .addColumn('component', 'text')
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('confirmed_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('cleared_at', 'bigint')
    .addColumn('observations', 'integer', (c) => c.notNull())
    .addColumn('record_json', 'text', (c) => c.notNull())
    .addColumn('evidence_json', 'text', (c) => c.notNull())
    .addColumn('case_id', 'text')
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('events_by_time').on('events').columns(['confirmed_at', 'subject']).execute();
  await db.schema.createIndex('events_by_case').on('events').column('case_id').execute();
  await db.schema.createIndex('events_by_edge').on('events').columns(['edge', 'confirmed_at']).execute();
}

async function createCases(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('cases')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('number', 'text', (c) => c.unique())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('class_key', 'text', (c) => c.notNull())
    .addColumn('flag', 'integer', (c) => c.notNull())
    .addColumn('code', 'text', (c) => c.notNull())
    .addColumn('fault', 'text')
    .addColumn('severity', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('lon', 'double precision', (c) => c.notNull())
    .addColumn('lat', 'double precision', (c) => c.notNull())
    .addColumn('error_radius_m', 'double precision', (c) => c.notNull())
    .addColumn('cell', 'text', (c) => c.notNull())
    .addColumn('component', 'text')
    .addColumn('confidence', 'double precision', (c) => c.notNull())
    .addColumn('observations', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('confirmed_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .addColumn('recovered_at', 'bigint')
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('policy_version', 'integer', (c) => c.notNull())
    .addColumn('proposal', 'text')
    .addColumn('department', 'text')
    .addColumn('rework_count', 'integer', (c) => c.notNull())
    .addColumn('merged_into', 'text', (c) => c.references('cases.id'))
    .addColumn('recurrence_of', 'text', (c) => c.references('cases.id'))
    .addColumn('edge', 'text')
    .addColumn('corrected', 'integer', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('cases_by_time').on('cases').columns(['opened_at', 'id']).execute();
  await db.schema.createIndex('cases_by_state').on('cases').columns(['state', 'opened_at', 'id']).execute();
  await db.schema.createIndex('cases_by_cell').on('cases').columns(['cell', 'opened_at', 'id']).execute();
  await db.schema.createIndex('cases_by_edge').on('cases').columns(['edge', 'opened_at', 'id']).execute();
}

async function createCaseParts(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('case_events')
    .addColumn('case_id', 'text', (c) => c.notNull().references('cases.id'))
    .addColumn('event', 'text', (c) => c.notNull().references('events.subject'))
    .addColumn('position', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('case_events_key', ['case_id', 'event'])
    .execute();
  await db.schema
    .createTable('case_evidence')
    .addColumn('case_id', 'text', (c) => c.notNull().references('cases.id'))
    .addColumn('sha256', 'text', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('media_type', 'text', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('taken_at', 'bigint', (c) => c.notNull())
    .addColumn('attached_at', 'bigint', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('case_evidence_key', ['case_id', 'sha256', 'event'])
    .execute();
  await db.schema.createIndex('case_evidence_by_hash').on('case_evidence').column('sha256').execute();
  await db.schema
    .createTable('case_keys')
    .addColumn('class_key', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('case_id', 'text', (c) => c.notNull().references('cases.id'))
    .addColumn('until', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('case_keys_key', ['case_id', 'key'])
    .execute();
  // Closed cases of a busy corner pile up: the range on `until` skips them.
  await db.schema.createIndex('case_keys_by_key').on('case_keys').columns(['class_key', 'key', 'until']).execute();
  await db.schema
    .createTable('case_timeline')
    .addColumn('case_id', 'text', (c) => c.notNull().references('cases.id'))
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('from_state', 'text')
    .addColumn('to_state', 'text', (c) => c.notNull())
    .addColumn('input_json', 'text', (c) => c.notNull())
    .addColumn('prev_hash', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('case_timeline_key', ['case_id', 'seq'])
    .execute();
}

async function createFiling(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('case_numbers')
    .addColumn('division', 'text', (c) => c.notNull())
    .addColumn('day', 'text', (c) => c.notNull())
    .addColumn('serial', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('case_numbers_key', ['division', 'day'])
    .execute();
  await db.schema
    .createTable('filing_policies')
    .addColumn('version', 'integer', (c) => c.primaryKey())
    .addColumn('policy_json', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('evidence_files')
    .addColumn('sha256', 'text', (c) => c.primaryKey())
    .addColumn('media_type', 'text', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('stored_at', 'bigint', (c) => c.notNull())
    .addColumn('sender', 'text', (c) => c.notNull())
    .execute();
}
