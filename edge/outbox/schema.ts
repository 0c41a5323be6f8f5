import type { DatabaseSync } from 'node:sqlite';
import type { Lane } from '#grid/wire/mod.ts';
import { COUNTERS_KEY, noCounters, StateTable } from './state.ts';

/** Tables by name. Their text is compared at each start: a flipped byte in it would hide a table. */
export function schemaOf(lanes: readonly Lane[]): [string, string][] {
  const lane = (name: Lane) =>
    `CREATE TABLE ${name}(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, ts INTEGER NOT NULL, block BLOB NOT NULL)`;
  return [
    ...lanes.map((name): [string, string] => [name, lane(name)]),
    [
      'state',
      'CREATE TABLE state(id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL, revision INTEGER NOT NULL, crc INTEGER NOT NULL)',
    ],
    [
      'quarantine',
      'CREATE TABLE quarantine(id INTEGER PRIMARY KEY, lane TEXT NOT NULL, seq INTEGER NOT NULL, line BLOB NOT NULL)',
    ],
  ];
}

/** Makes an empty database an outbox, in one transaction. */
export function writeSchema(db: DatabaseSync, lanes: readonly Lane[], counters = noCounters(lanes)): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const [, sql] of schemaOf(lanes)) db.exec(sql);
    new StateTable(db).put(COUNTERS_KEY, JSON.stringify(counters));
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
