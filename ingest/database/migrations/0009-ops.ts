import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Migration } from './mod.ts';

/** Being told, and upkeep: groups, maintenance windows and cases, what dead letters need to be replayed. */
export const opsMigration: Migration = {
  name: '0009-ops',
  async up(db) {
    await createNotify(db);
    await createUpkeep(db);
    // What is so now is looked for every few seconds, however long the history is.
    await db.schema.createIndex('events_active').on('events').columns(['cleared_at', 'class_key']).execute();
    await db.schema.createIndex('cases_unfinished').on('cases').columns(['finished_at', 'severity']).execute();
    await db.schema.alterTable('dead_letters').addColumn('topic', 'text').execute();
    await db.schema
      .alterTable('dead_letters')
      .addColumn('replays', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
  },
};

async function createNotify(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('notify_settings')
    .addColumn('revision', 'integer', (c) => c.primaryKey())
    .addColumn('settings_json', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('notify_incidents')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('topic', 'text', (c) => c.notNull())
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .addColumn('tell_at', 'bigint')
    .addColumn('told_at', 'bigint')
    .addColumn('told_json', 'text', (c) => c.notNull())
    .addColumn('escalates_at', 'bigint')
    .addColumn('acknowledged_at', 'bigint')
    .addColumn('acknowledged_by', 'text')
    .addColumn('closed_at', 'bigint')
    .execute();
  await db.schema.createIndex('notify_incidents_by_time').on('notify_incidents').columns(['opened_at', 'id']).execute();
  await db.schema
    .createTable('notify_alerts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('topic', 'text', (c) => c.notNull())
    .addColumn('subject_of', 'text', (c) => c.notNull())
    .addColumn('subject_id', 'text', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('note_zh', 'text', (c) => c.notNull())
    .addColumn('note_en', 'text', (c) => c.notNull())
    .addColumn('incident', 'text', (c) => c.notNull().references('notify_incidents.id'))
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .addColumn('cleared_at', 'bigint')
    .execute();
  await db.schema.createIndex('notify_alerts_by_incident').on('notify_alerts').column('incident').execute();
  await db.schema.createIndex('notify_alerts_open').on('notify_alerts').columns(['cleared_at', 'topic']).execute();
  await db.schema
    .createTable('notify_messages')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('incident', 'text', (c) => c.references('notify_incidents.id'))
    .addColumn('person', 'text', (c) => c.notNull())
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('why', 'text', (c) => c.notNull())
    .addColumn('urgent', 'integer', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('fault', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('next_at', 'bigint')
    .addColumn('sent_at', 'bigint')
    .execute();
  await db.schema.createIndex('notify_messages_due').on('notify_messages').columns(['state', 'next_at']).execute();
  await db.schema.createIndex('notify_messages_by_time').on('notify_messages').columns(['created_at', 'id']).execute();
  await db.schema.createIndex('notify_messages_by_incident').on('notify_messages').column('incident').execute();
  await db.schema
    .createTable('notify_links')
    .addColumn('sha256', 'text', (c) => c.primaryKey())
    .addColumn('incident', 'text', (c) => c.notNull().references('notify_incidents.id'))
    .addColumn('person', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('notify_links_by_incident').on('notify_links').column('incident').execute();
}

async function createUpkeep(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('device_groups')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('device_group_members')
    .addColumn('group_id', 'text', (c) => c.notNull().references('device_groups.id'))
    .addColumn('subject_of', 'text', (c) => c.notNull())
    .addColumn('subject_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('device_group_members_key', ['group_id', 'subject_of', 'subject_id'])
    .execute();
  await db.schema
    .createTable('maintenance_windows')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('subject_of', 'text', (c) => c.notNull())
    .addColumn('subject_id', 'text', (c) => c.notNull())
    .addColumn('from_at', 'bigint', (c) => c.notNull())
    .addColumn('to_at', 'bigint', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('ended_by', 'text')
    .execute();
  await db.schema.createIndex('maintenance_windows_by_end').on('maintenance_windows').column('to_at').execute();
  await db.schema
    .createTable('upkeep_cases')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('cause', 'text', (c) => c.notNull())
    .addColumn('subject_of', 'text', (c) => c.notNull())
    .addColumn('subject_id', 'text', (c) => c.notNull())
    .addColumn('edge', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .addColumn('acknowledged_at', 'bigint')
    .addColumn('acknowledged_by', 'text')
    .addColumn('assigned_to', 'text')
    .addColumn('fixed_at', 'bigint')
    .addColumn('fixed_by', 'text')
    .addColumn('note', 'text')
    .execute();
  await db.schema.createIndex('upkeep_cases_by_time').on('upkeep_cases').columns(['opened_at', 'id']).execute();
  await db.schema.createIndex('upkeep_cases_by_state').on('upkeep_cases').column('state').execute();
  await db.schema
    .createTable('upkeep_members')
    .addColumn('case_id', 'text', (c) => c.notNull().references('upkeep_cases.id'))
    .addColumn('subject_of', 'text', (c) => c.notNull())
    .addColumn('subject_id', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('well_at', 'bigint')
    .addPrimaryKeyConstraint('upkeep_members_key', ['case_id', 'subject_of', 'subject_id'])
    .execute();
  await db.schema.createIndex('upkeep_members_by_subject').on('upkeep_members').columns(['subject_of', 'subject_id']).execute();
}
