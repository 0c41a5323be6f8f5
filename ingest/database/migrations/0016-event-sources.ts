import type { Migration } from './mod.ts';

/** The newest events of one device or camera, which its page shows: among millions of others they were looked for one by one. */
export const eventSourcesMigration: Migration = {
  name: '0016-event-sources',
  async up(db) {
    await db.schema.createIndex('events_by_source').on('events').columns(['source', 'confirmed_at', 'subject']).execute();
  },
};
