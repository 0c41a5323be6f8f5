import type { Migration } from './mod.ts';

/** Datasets from verdicts, what candidates in shadow have watched, and which models were promoted. */
export const loopMigration: Migration = {
  name: '0008-loop',
  async up(db) {
    await db.schema
      .createTable('datasets')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('content_json', 'text', (c) => c.notNull())
      .addColumn('counts_json', 'text', (c) => c.notNull())
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('edge_candidates')
      .addColumn('edge', 'text', (c) => c.primaryKey())
      .addColumn('report_json', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('trial_watches')
      .addColumn('edge', 'text', (c) => c.notNull())
      .addColumn('camera', 'text', (c) => c.notNull())
      .addColumn('package', 'text', (c) => c.notNull())
      .addColumn('since', 'bigint', (c) => c.notNull())
      .addColumn('until', 'bigint', (c) => c.notNull())
      .addColumn('model', 'text', (c) => c.notNull())
      .addColumn('against', 'text', (c) => c.notNull())
      .addColumn('watched_ms', 'bigint', (c) => c.notNull())
      .addColumn('pictures', 'bigint', (c) => c.notNull())
      .addColumn('skipped', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('trial_watches_key', ['edge', 'camera', 'package', 'since'])
      .execute();
    await db.schema.createIndex('trial_watches_by_package').on('trial_watches').column('package').execute();
    await db.schema
      .createTable('promotions')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('package', 'text', (c) => c.notNull())
      .addColumn('model', 'text', (c) => c.notNull())
      .addColumn('edge', 'text', (c) => c.notNull())
      .addColumn('before_json', 'text', (c) => c.notNull())
      .addColumn('baseline_json', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('forced', 'integer', (c) => c.notNull())
      .addColumn('reason', 'text', (c) => c.notNull())
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('soak_until', 'bigint', (c) => c.notNull())
      .addColumn('ended_at', 'bigint')
      .addColumn('ended_because', 'text')
      .execute();
    await db.schema.createIndex('promotions_by_package').on('promotions').columns(['package', 'at']).execute();
  },
};
