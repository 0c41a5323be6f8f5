import type { Migration } from './mod.ts';

/** Why the event of a verdict opened no case: what a camera's fixtures keep quiet counts in no figure of what was raised. */
export const verdictsSuppressedMigration: Migration = {
  name: '0017-verdicts-suppressed',
  async up(db) {
    await db.schema.alterTable('verdicts').addColumn('suppressed', 'text').execute();
  },
};
