import type { Migration } from './mod.ts';

/** Packages of models, and what each edge said last of its model. */
export const modelsMigration: Migration = {
  name: '0004-models',
  async up(db) {
    await db.schema
      .createTable('model_packages')
      .addColumn('sha256', 'text', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('version', 'text', (c) => c.notNull())
      .addColumn('classes_json', 'text', (c) => c.notNull())
      .addColumn('provenance', 'text', (c) => c.notNull())
      .addColumn('key', 'text', (c) => c.notNull())
      .addColumn('bytes', 'bigint', (c) => c.notNull())
      .addColumn('by', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('edge_models')
      .addColumn('edge', 'text', (c) => c.primaryKey())
      .addColumn('report_json', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .execute();
  },
};
