import { sql } from 'kysely';
import type { HealthRecord } from '#grid/wire/mod.ts';
import type { Clock } from '#service/mod.ts';
import type { Database, HealthHistoryTable, HealthTable, Queries } from '../database/mod.ts';
import type { Health, HealthChange, HealthConfig, HealthKind, HealthState, HistoryEntry, SickThing } from './types.ts';

/** Rows of one statement. */
const CHUNK = 500;
const TRIM_CHUNK = 10_000;
const DAY_MS = 86_400_000;

/** Identity of a thing in the tables. */
const keyOf = ({ edge, kind, id }: { edge: string; kind: string; id: string }) => `${edge} ${kind} ${id}`;

/**
 * Health in the database. Records come again and out of order (live before backlog): the newest report wins, and the
 * history is a set of (thing, since when) that a replay cannot multiply.
 */
export class HealthStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #config: HealthConfig;

  constructor({ database, clock, config }: { database: Database; clock: Clock; config: HealthConfig }) {
    this.#database = database;
    this.#clock = clock;
    this.#config = config;
  }

  /** Durable when it resolves; returns what has changed. */
  async put(records: readonly HealthRecord[]): Promise<HealthChange[]> {
    const now = this.#clock.now();
    const rows = records.map((record) => toRow(record, now));
    const changes: HealthChange[] = [];
    for (let i = 0; i < rows.length; i += CHUNK) {
      const chunk = rows.slice(i, i + CHUNK);
      changes.push(...(await this.#database.transaction((db) => this.#putChunk(db, chunk))));
    }
    return changes;
  }

  async read(of: HealthKind, things: readonly { id: string; edge: string }[]): Promise<Map<string, Health>> {
    const health = new Map<string, Health>();
    for (let i = 0; i < things.length; i += CHUNK) {
      const chunk = things.slice(i, i + CHUNK);
      const edges = new Map(chunk.map((t) => [t.id, t.edge]));
      const rows = await this.#database.kysely
        .selectFrom('health')
        .selectAll()
        .where('kind', '=', of)
        .where('edge', 'in', [...new Set(edges.values())])
        .where('id', 'in', [...edges.keys()])
        .execute();
      // An id may have moved from one edge to another: the row of the present owner counts.
      for (const row of rows) if (edges.get(row.id) === row.edge) health.set(row.id, toHealth(row));
    }
    return health;
  }

  /** The state of everything that ever reported, by `edge kind id`. */
  async states(): Promise<Map<string, HealthState>> {
    const rows = await this.#database.kysely.selectFrom('health').select(['edge', 'kind', 'id', 'state']).execute();
    return new Map(rows.map((row) => [keyOf(row), row.state as HealthState]));
  }

  /** The firmware of everything that ever said so. */
  async firmware(): Promise<{ of: HealthKind; id: string; edge: string; firmware: string }[]> {
    const rows = await this.#database.kysely
      .selectFrom('health')
      .select(['kind', 'id', 'edge', 'firmware'])
      .where('firmware', 'is not', null)
      .execute();
    return rows.map(({ kind, firmware, ...rest }) => ({ of: kind as HealthKind, firmware: firmware ?? '', ...rest }));
  }

  /** What is offline or degraded, as it was reported. */
  async sick(): Promise<SickThing[]> {
    const rows = await this.#database.kysely
      .selectFrom('health')
      .select(['kind', 'id', 'edge', 'state', 'reason', 'since'])
      .where('state', 'in', ['offline', 'degraded'])
      .orderBy('since')
      .execute();
    return rows.map(({ kind, state, ...rest }) => ({ of: kind as HealthKind, state: state as HealthState, ...rest }));
  }

  async history(
    { edge, of, id }: { edge: string; of: HealthKind; id: string },
    since: number,
    limit: number,
  ): Promise<HistoryEntry[]> {
    const rows = await this.#database.kysely
      .selectFrom('health_history')
      .select(['ts', 'state', 'reason'])
      .where('edge', '=', edge)
      .where('kind', '=', of)
      .where('id', '=', id)
      .where('ts', '>=', since)
      .orderBy('ts', 'desc')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ ...row, state: row.state as HealthState }));
  }

  async trim(): Promise<number> {
    const { kysely } = this.#database;
    const before = this.#clock.now() - this.#config.historyDays * DAY_MS;
    const old = await kysely.deleteFrom('health_history').where('ts', '<', before).executeTakeFirst();
    const { count } = await kysely
      .selectFrom('health_history')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    let dropped = Number(old.numDeletedRows);
    for (let excess = Number(count) - this.#config.historyEntriesMax; excess > 0; excess -= TRIM_CHUNK)
      dropped += await this.#dropOldest(Math.min(excess, TRIM_CHUNK));
    return dropped;
  }

  /** The oldest `count` entries, and those of the same millisecond with them. */
  async #dropOldest(count: number): Promise<number> {
    const { kysely } = this.#database;
    const last = await kysely
      .selectFrom('health_history')
      .select('ts')
      .orderBy('ts')
      .limit(1)
      .offset(count - 1)
      .executeTakeFirst();
    if (last === undefined) return 0;
    const gone = await kysely.deleteFrom('health_history').where('ts', '<=', last.ts).executeTakeFirst();
    return Number(gone.numDeletedRows);
  }

  async #putChunk(db: Queries, rows: readonly HealthTable[]): Promise<HealthChange[]> {
    const newest = new Map<string, HealthTable>();
    for (const row of rows) {
      const other = newest.get(keyOf(row));
      if (other === undefined || row.last_seen >= other.last_seen) newest.set(keyOf(row), row);
    }
    const before = new Map((await this.#present(db, [...newest.values()])).map((row) => [keyOf(row), row]));
    const fresh = [...newest.values()]
      .filter((row) => row.last_seen >= (before.get(keyOf(row))?.last_seen ?? 0))
      // Everybody's order, so that two replicas never wait for each other's rows in a ring.
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    if (fresh.length > 0) await upsert(db, fresh);
    // A thing that stays as it was is no news: most reports end here.
    const news = rows.filter((row) => before.get(keyOf(row))?.since !== row.since);
    if (news.length > 0) await remember(db, news);
    return fresh.filter((row) => differs(before.get(keyOf(row)), row)).map(toChange);
  }

  #present(db: Queries, rows: readonly HealthTable[]): Promise<HealthTable[]> {
    return db
      .selectFrom('health')
      .selectAll()
      .where('edge', 'in', [...new Set(rows.map((r) => r.edge))])
      .where('id', 'in', [...new Set(rows.map((r) => r.id))])
      .execute();
  }
}

/** Another replica may have stored a later report in the meantime: it stays. */
async function upsert(db: Queries, rows: readonly HealthTable[]): Promise<void> {
  await db
    .insertInto('health')
    .values(rows)
    .onConflict((c) =>
      c
        .columns(['edge', 'kind', 'id'])
        .doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          reason: eb.ref('excluded.reason'),
          since: eb.ref('excluded.since'),
          last_seen: eb.ref('excluded.last_seen'),
          values_json: eb.ref('excluded.values_json'),
          firmware: sql<string | null>`coalesce(excluded.firmware, health.firmware)`,
        }))
        .whereRef('health.last_seen', '<=', 'excluded.last_seen'),
    )
    .execute();
}

async function remember(db: Queries, rows: readonly HealthTable[]): Promise<void> {
  const entries = new Map<string, HealthHistoryTable>();
  for (const { edge, kind, id, since, state, reason } of rows)
    entries.set(`${keyOf({ edge, kind, id })} ${since}`, { edge, kind, id, ts: since, state, reason });
  await db
    .insertInto('health_history')
    .values([...entries.values()])
    .onConflict((c) => c.columns(['edge', 'kind', 'id', 'ts']).doNothing())
    .execute();
}

function differs(before: HealthTable | undefined, row: HealthTable): boolean {
  return before === undefined || before.state !== row.state || before.reason !== row.reason;
}

/** An edge's clock may run ahead: a report from the future would silence all later ones. */
function toRow({ edge, of, id, state, reason, since, ts, values = {}, firmware }: HealthRecord, now: number): HealthTable {
  const text = reason.replaceAll('\u0000', '');
  const values_json = JSON.stringify(values);
  return {
    edge,
    kind: of,
    id,
    state,
    reason: text,
    since: Math.min(since, now),
    last_seen: Math.min(ts, now),
    values_json,
    firmware: firmware ?? null,
  };
}

function toHealth({ state, reason, since, last_seen, values_json, firmware }: HealthTable): Health {
  return { state: state as HealthState, reason, since, lastSeenAt: last_seen, values: JSON.parse(values_json), firmware };
}

function toChange({ edge, kind, id, state, reason, last_seen }: HealthTable): HealthChange {
  return { of: kind as HealthKind, edge, id, state: state as HealthState, reason, ts: last_seen };
}
