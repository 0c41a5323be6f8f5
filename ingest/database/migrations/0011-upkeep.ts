import { sql } from 'kysely';
import type { Migration } from './mod.ts';

/** Events that are recorded only because somebody works on what they come from; the firmware of devices. */
export const upkeepMigration: Migration = {
  name: '0011-upkeep',
  async up(db) {
    await db.schema
      .alterTable('events')
      .addColumn('worked_on', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    // Those that go on are looked for every few seconds; of all others the index knows nothing, and costs nothing.
    await db.schema
      .createIndex('events_worked_on')
      .on('events')
      .column('source')
      .where(sql<boolean>`worked_on = 1 and cleared_at is null`)
      .execute();
    await db.schema.alterTable('health').addColumn('firmware', 'text').execute();
  },
};
