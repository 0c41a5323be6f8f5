import { sql } from 'kysely';
import type { EventHoursTable, EventsTable, Queries } from '../database/mod.ts';

export const HOUR_MS = 3_600_000;

/** What of an event says where it is counted. */
export type Counted = Pick<EventsTable, 'confirmed_at' | 'class_key' | 'origin'>;

/** UTC ms at which its hour began. */
export const hourOf = (at: number): number => at - (at % HOUR_MS);

/**
 * Counts events by hour, class and origin: each where it is counted now, and no longer where it was. Last in a transaction, because
 * all events of a class share the row of the present hour, for which others wait; in one order, so that none wait in a ring.
 */
export async function countByHour(db: Queries, moves: readonly { from: Counted | undefined; to: Counted }[]): Promise<void> {
  const rows = new Map<string, EventHoursTable>();
  const add = ({ confirmed_at, class_key, origin }: Counted, count: number) => {
    const row = { hour_at: hourOf(confirmed_at), class_key, origin, count };
    const key = `${row.hour_at} ${class_key} ${origin}`;
    row.count += rows.get(key)?.count ?? 0;
    rows.set(key, row);
  };
  for (const { from, to } of moves) {
    if (from !== undefined) add(from, -1);
    add(to, 1);
  }
  const changed = [...rows]
    .filter(([, row]) => row.count !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row);
  if (changed.length === 0) return;
  await db
    .insertInto('event_hours')
    .values(changed)
    .onConflict((c) =>
      c.columns(['hour_at', 'class_key', 'origin']).doUpdateSet({ count: sql<number>`event_hours.count + excluded.count` }),
    )
    .execute();
}
