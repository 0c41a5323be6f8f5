import type { Migration } from './mod.ts';

/** Desired states of edges: every revision with what became of it, and what each edge runs. */
export const desiredMigration: Migration = {
  name: '0004-desired',
  async up(db) {
    await db.schema
      .createTable('desired_revisions')
      .addColumn('edge', 'text', (c) => c.notNull())
      .addColumn('revision', 'integer', (c) => c.notNull())
      .addColumn('state_json', 'text', (c) => c.notNull())
      .addColumn('sha256', 'text', (c) => c.notNull())
      .addColumn('bytes', 'integer', (c) => c.notNull())
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('verdict', 'text')
      .addColumn('verdict_at', 'bigint')
      .addColumn('notes_json', 'text')
      .addPrimaryKeyConstraint('desired_revisions_key', ['edge', 'revision'])
      .execute();
    await db.schema
      .createTable('desired_edges')
      .addColumn('edge', 'text', (c) => c.primaryKey())
      .addColumn('running', 'integer', (c) => c.notNull())
      .addColumn('judged', 'integer', (c) => c.notNull())
      .addColumn('verdict', 'text', (c) => c.notNull())
      .addColumn('notes_json', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .execute();
  },
};
