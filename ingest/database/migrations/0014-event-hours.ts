import { sql } from 'kysely';
import type { Migration } from './mod.ts';

/** How many events were confirmed in each hour, kept as they come: a heat map of four weeks goes through no list of millions. */
export const eventHoursMigration: Migration = {
  name: '0014-event-hours',
  async up(db) {
    await db.schema
      .createTable('event_hours')
      .addColumn('hour_at', 'bigint', (c) => c.notNull())
      .addColumn('class_key', 'text', (c) => c.notNull())
      .addColumn('origin', 'text', (c) => c.notNull())
      .addColumn('count', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('event_hours_key', ['hour_at', 'class_key', 'origin'])
      .execute();
    await sql`insert into event_hours
      select confirmed_at - confirmed_at % 3600000, class_key, origin, count(*) from events group by 1, 2, 3`.execute(db);
  },
};
