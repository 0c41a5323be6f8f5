import type { ReplicaAnswer } from '#grid/api/mod.ts';
import type { Clock, Log, Service } from '#service/mod.ts';
import type { Database } from '../database/mod.ts';

const BEAT_MS = 5_000;
/** One that has not been heard of for so long is told as silent. */
const SILENT_MS = 20_000;
/** And after this no more: it has been taken away for good. */
const KEPT_MS = 3_600_000;
/** However many come and go. */
const LISTED_MAX = 100;

/** What a replica says of itself. */
export type ReplicaState = Pick<ReplicaAnswer, 'readingsPerS' | 'eventsPerS' | 'notReady'>;

export interface ReplicasDependencies {
  database: Database;
  clock: Clock;
  log: Log;
  /** Its name, the same after a restart; asked once, at `start`. */
  nameOf(): string;
  state(): Promise<ReplicaState>;
}

/**
 * The processes of one centre: each says in the database every few seconds that it runs, and how it does; one that ends in order
 * takes itself away, one that is killed is seen to be silent.
 */
export class Replicas implements Service {
  readonly #deps: ReplicasDependencies;
  #name = '';
  #startedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> = Promise.resolve();

  constructor(dependencies: ReplicasDependencies) {
    this.#deps = dependencies;
  }

  async start(): Promise<void> {
    this.#name = this.#deps.nameOf();
    this.#startedAt = this.#deps.clock.now();
    this.#beating = this.#beat();
    this.#timer = setInterval(() => {
      this.#beating = this.#beating.then(() => this.#beat());
    }, BEAT_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    await this.#beating;
    const { database, log } = this.#deps;
    await database.kysely
      .deleteFrom('replicas')
      .where('name', '=', this.#name)
      .execute()
      .catch((err) => log.debug({ err }, 'this replica could not take itself off the list'));
  }

  /** Those that were heard of within the last hour, by name. Throws GEWU_STORE_UNAVAILABLE. */
  async list(): Promise<ReplicaAnswer[]> {
    const now = this.#deps.clock.now();
    const rows = await this.#deps.database.kysely
      .selectFrom('replicas')
      .selectAll()
      .where('heard_at', '>=', now - KEPT_MS)
      .orderBy('name')
      .limit(LISTED_MAX)
      .execute();
    return rows.map((row) => ({
      name: row.name,
      here: row.name === this.#name,
      running: now - row.heard_at <= SILENT_MS,
      startedAt: row.started_at,
      heardAt: row.heard_at,
      ...(JSON.parse(row.state_json) as ReplicaState),
    }));
  }

  /** Never rejects: while the database is away, nobody can be told. */
  async #beat(): Promise<void> {
    const { database, clock, log, state } = this.#deps;
    try {
      const said = { started_at: this.#startedAt, heard_at: clock.now(), state_json: JSON.stringify(await state()) };
      await database.kysely
        .insertInto('replicas')
        .values({ name: this.#name, ...said })
        .onConflict((c) => c.column('name').doUpdateSet(said))
        .execute();
      await database.kysely
        .deleteFrom('replicas')
        .where('heard_at', '<', clock.now() - KEPT_MS)
        .execute();
    } catch (err) {
      log.debug({ err }, 'this replica could not say that it runs');
    }
  }
}
