import type { Migration } from './mod.ts';

/** The processes of the centre, as each has last said of itself. */
export const replicasMigration: Migration = {
  name: '0015-replicas',
  async up(db) {
    await db.schema
      .createTable('replicas')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('started_at', 'bigint', (c) => c.notNull())
      .addColumn('heard_at', 'bigint', (c) => c.notNull())
      .addColumn('state_json', 'text', (c) => c.notNull())
      .execute();
  },
};
