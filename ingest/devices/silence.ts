import type { Clock } from '#service/mod.ts';
import type { Database, HealthHistoryTable, Lock, Queries } from '../database/mod.ts';
import type { HealthChange } from './types.ts';

/** Of several replicas one writes at a time, so that a silence is one entry. */
const SILENCE_LOCK: Lock = { name: 'silence', mode: 'exclusive' };
const SILENT = 'silent';
const HEARD_AGAIN = 'heard-again';

/**
 * Silent edges in the history of health. An edge cannot report that it is cut off; what it reports afterwards is that it was well
 * all the time. So the centre writes down when it heard of it last, and when it heard of it again.
 */
export class SilenceBook {
  readonly #database: Database;
  readonly #clock: Clock;
  /** As far as the history says; null before it was read. */
  #silent: Set<string> | null = null;

  constructor({ database, clock }: { database: Database; clock: Clock }) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Takes who is silent now, with the time of the last report. Returns what has changed. */
  async note(silent: ReadonlyMap<string, number>): Promise<HealthChange[]> {
    this.#silent ??= new Set(await silentIn(this.#database.kysely));
    const known = this.#silent;
    const began = [...silent.keys()].filter((edge) => !known.has(edge));
    const ended = [...known].filter((edge) => !silent.has(edge));
    if (began.length + ended.length === 0) return [];
    const now = this.#clock.now();
    const changes = [
      // After the last sign of it: that entry of the history may be of the same moment.
      ...began.map((edge) => change(edge, 'offline', SILENT, (silent.get(edge) ?? now) + 1)),
      ...ended.map((edge) => change(edge, 'online', HEARD_AGAIN, now)),
    ];
    const written = await this.#database.transaction((db) => write(db, changes), { locks: [SILENCE_LOCK] });
    this.#silent = new Set(silent.keys());
    return written;
  }

  /** How long, of the time since `from`, each edge was silent; ms. */
  async silentMs(from: number): Promise<Map<string, number>> {
    const rows = await this.#database.kysely
      .selectFrom('health_history')
      .select(['edge', 'ts', 'reason'])
      .where('kind', '=', 'edge')
      .where('ts', '>=', from)
      .where('reason', 'in', [SILENT, HEARD_AGAIN])
      .orderBy('ts')
      .execute();
    const now = this.#clock.now();
    const still = new Set(await silentIn(this.#database.kysely));
    const byEdge = Map.groupBy(rows, (r) => r.edge);
    const edges = new Set([...byEdge.keys(), ...still]);
    return new Map([...edges].map((edge) => [edge, sum(byEdge.get(edge) ?? [], { from, now, still: still.has(edge) })]));
  }
}

function sum(
  entries: readonly { ts: number; reason: string }[],
  { from, now, still }: { from: number; now: number; still: boolean },
): number {
  // A first entry that ends a silence: it began before.
  let since: number | null = entries[0]?.reason === HEARD_AGAIN || (entries.length === 0 && still) ? from : null;
  let ms = 0;
  for (const { ts, reason } of entries) {
    if (reason === SILENT) since ??= ts;
    else if (since !== null) {
      ms += ts - since;
      since = null;
    }
  }
  return since === null ? ms : ms + (now - since);
}

const change = (edge: string, state: 'online' | 'offline', reason: string, ts: number): HealthChange => ({
  ...{ of: 'edge', edge, id: edge, state, reason, ts },
});

/** Edges whose last entry of this kind says that they are silent. */
async function silentIn(db: Queries): Promise<string[]> {
  const last = db
    .selectFrom('health_history')
    .select(({ fn }) => ['edge', fn.max('ts').as('ts')])
    .where('kind', '=', 'edge')
    .where('reason', 'in', [SILENT, HEARD_AGAIN])
    .groupBy('edge')
    .as('last');
  const rows = await db
    .selectFrom('health_history as h')
    .innerJoin(last, (join) => join.onRef('last.edge', '=', 'h.edge').onRef('last.ts', '=', 'h.ts'))
    .select('h.edge')
    .where('h.kind', '=', 'edge')
    .where('h.reason', '=', SILENT)
    .execute();
  return rows.map((r) => r.edge);
}

/** Leaves out what another replica has written already. */
async function write(db: Queries, changes: readonly HealthChange[]): Promise<HealthChange[]> {
  const silent = new Set(await silentIn(db));
  const fresh = changes.filter(({ edge, reason }) => silent.has(edge) === (reason === HEARD_AGAIN));
  const rows = fresh.map(
    ({ edge, of, id, state, reason, ts }): HealthHistoryTable => ({ edge, kind: of, id, ts, state, reason }),
  );
  if (rows.length > 0)
    await db
      .insertInto('health_history')
      .values(rows)
      .onConflict((c) => c.columns(['edge', 'kind', 'id', 'ts']).doNothing())
      .execute();
  return fresh;
}
