import { sql } from 'kysely';
import type { DeadLetterAnswer } from '#grid/api/mod.ts';
import { type Clock, Counter, GewuError, type Log, type Metrics } from '#service/mod.ts';
import { type Database, pageOf, readCursor } from '../database/mod.ts';
import type { DeadLetter } from '../ports.ts';
import type { DeadLetterCount, DeadLetterFilter, DeadLetterStore, DeadLettersConfig } from './types.ts';

export interface DeadLetterDependencies {
  config: DeadLettersConfig;
  database: Database;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** Rows of one insert. */
const CHUNK = 500;
const LIMIT_DEFAULT = 100;
const GROUPS_MAX = 1000;
const TRIM_EVERY_MS = 60_000;
/** Rows of one delete, so that no transaction is long. */
const TRIM_CHUNK = 10_000;
const DAY_MS = 86_400_000;
const TEXT_CHARS_MAX = 512;

/** Builds the dead-letter store; the database must be started before it, and stopped after it. */
export function createDeadLetterStore(dependencies: DeadLetterDependencies): DeadLetterStore {
  return new KyselyDeadLetterStore(dependencies);
}

class KyselyDeadLetterStore implements DeadLetterStore {
  readonly #deps: DeadLetterDependencies;
  readonly #stored: Counter<'edge' | 'hop' | 'code'>;
  readonly #dropped: Counter;
  #timer: NodeJS.Timeout | null = null;
  #trimming: Promise<number> | null = null;
  /** Rows put since the last trim: a flood is trimmed before its minute is over. */
  #sinceTrim = 0;

  constructor(dependencies: DeadLetterDependencies) {
    this.#deps = dependencies;
    const registers = [dependencies.metrics];
    this.#stored = new Counter({
      name: 'gewu_dead_letters_total',
      help: 'Records that could not be used',
      labelNames: ['edge', 'hop', 'code'],
      registers,
    });
    this.#dropped = new Counter({
      name: 'gewu_dead_letters_dropped_total',
      help: 'Dead letters that went because there were too many or they were too old',
      registers,
    });
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#trimSoon(), TRIM_EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await this.#trimming?.catch(() => undefined);
  }

  async put(letters: readonly DeadLetter[]): Promise<void> {
    const now = this.#deps.clock.now();
    const rows = letters.map((letter) => toRow(letter, now));
    for (let i = 0; i < rows.length; i += CHUNK) await this.#insert(rows.slice(i, i + CHUNK));
    this.#sinceTrim += rows.length;
    if (this.#timer !== null && this.#sinceTrim > Math.max(1000, this.#deps.config.entriesMax / 10)) this.#trimSoon();
  }

  async list(filter: DeadLetterFilter): Promise<{ items: DeadLetterAnswer[]; cursor: string | null }> {
    const { edge, hop, code, source, since, limit = LIMIT_DEFAULT } = filter;
    let query = this.#deps.database.kysely.selectFrom('dead_letters').selectAll();
    if (edge !== undefined) query = query.where('edge', '=', edge);
    if (hop !== undefined) query = query.where('hop', '=', hop);
    if (code !== undefined) query = query.where('code', '=', code);
    if (source !== undefined) query = query.where('source', '=', source);
    if (since !== undefined) query = query.where('ts', '>=', since);
    const after = readCursor(filter.cursor);
    if (after) query = query.where(sql<boolean>`(ts, id) < (${after.at}, ${after.id})`);
    const rows = await query
      .orderBy('ts', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const { page: items, cursor } = pageOf(rows, limit, (row) => [row.ts, row.id]);
    return { items, cursor };
  }

  async get(id: string): Promise<DeadLetterAnswer> {
    const { kysely } = this.#deps.database;
    const row = await kysely.selectFrom('dead_letters').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no dead letter ${id}`);
    return row;
  }

  async counts({ edge, since }: Pick<DeadLetterFilter, 'edge' | 'since'>): Promise<DeadLetterCount[]> {
    let query = this.#deps.database.kysely
      .selectFrom('dead_letters')
      .select((eb) => ['edge', 'hop', 'code', eb.fn.countAll<number>().as('count')]);
    if (edge !== undefined) query = query.where('edge', '=', edge);
    if (since !== undefined) query = query.where('ts', '>=', since);
    const rows = await query.groupBy(['edge', 'hop', 'code']).orderBy('count', 'desc').limit(GROUPS_MAX).execute();
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }

  async remove(ids: readonly string[]): Promise<number> {
    let removed = 0;
    for (let i = 0; i < ids.length; i += CHUNK) {
      const { kysely } = this.#deps.database;
      const gone = await kysely
        .deleteFrom('dead_letters')
        .where('id', 'in', ids.slice(i, i + CHUNK))
        .executeTakeFirst();
      removed += Number(gone.numDeletedRows);
    }
    return removed;
  }

  async cameBack(id: string, replays: number | null, reason?: string): Promise<void> {
    const text = reason?.replaceAll('\u0000', '').slice(0, TEXT_CHARS_MAX);
    const set = { ...(replays === null ? {} : { replays }), ...(text === undefined ? {} : { reason: text }) };
    if (Object.keys(set).length === 0) return;
    await this.#deps.database.kysely.updateTable('dead_letters').set(set).where('id', '=', id).execute();
  }

  trim(): Promise<number> {
    this.#trimming ??= this.#trim().finally(() => {
      this.#trimming = null;
    });
    return this.#trimming;
  }

  /** Idempotent: what is there stays. Only what is new is counted. */
  async #insert(rows: readonly ReturnType<typeof toRow>[]): Promise<void> {
    const { kysely } = this.#deps.database;
    const fresh = await kysely
      .insertInto('dead_letters')
      .values(rows)
      .onConflict((c) => c.column('id').doNothing())
      .returning(['edge', 'hop', 'code'])
      .execute();
    for (const labels of fresh) this.#stored.inc(labels);
  }

  #trimSoon(): void {
    this.trim().catch((error: unknown) => this.#deps.log.warn({ err: error }, 'dead letters could not be trimmed; tried again'));
  }

  async #trim(): Promise<number> {
    this.#sinceTrim = 0;
    const { database, config, clock } = this.#deps;
    const old = await database.kysely
      .deleteFrom('dead_letters')
      .where('ts', '<', clock.now() - config.days * DAY_MS)
      .executeTakeFirst();
    let dropped = Number(old.numDeletedRows);
    const { count } = await database.kysely
      .selectFrom('dead_letters')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    for (let excess = Number(count) - config.entriesMax; excess > 0; excess -= TRIM_CHUNK) {
      const oldest = database.kysely
        .selectFrom('dead_letters')
        .select('id')
        .orderBy('ts')
        .orderBy('id')
        .limit(Math.min(excess, TRIM_CHUNK));
      const gone = await database.kysely.deleteFrom('dead_letters').where('id', 'in', oldest).executeTakeFirst();
      dropped += Number(gone.numDeletedRows);
    }
    if (dropped > 0) this.#dropped.inc(dropped);
    return dropped;
  }
}

/** An edge's clock may run ahead: nothing arrives in the future. PostgreSQL keeps no NUL in a text. */
function toRow(letter: DeadLetter, now: number): DeadLetter & { topic: string | null } {
  const text = (value: string) => value.replaceAll('\u0000', '\uFFFD').slice(0, TEXT_CHARS_MAX);
  const { id, ts, payload } = letter;
  return {
    id,
    ts: Math.min(ts, now),
    edge: text(letter.edge),
    hop: text(letter.hop),
    source: text(letter.source),
    code: text(letter.code),
    reason: text(letter.reason),
    payload: payload.replaceAll('\u0000', ''),
    topic: letter.topic == null ? null : text(letter.topic),
  };
}
