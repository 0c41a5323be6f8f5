import { setTimeout as pause } from 'node:timers/promises';
import type { Clock, Log } from '#service/mod.ts';
import { HOUR_MS } from '../store.ts';
import { HOURS, type InfluxClient, MINUTES, RAW } from './client.ts';
import type { DirtyHour, DirtyHours } from './dirty.ts';
import { MARK } from './writer.ts';

/** An hour is rolled up this long after its end; what comes later makes it dirty again. */
const SETTLE_MS = 60_000;
/** A note can be seen a moment before the last of the points that came with it. */
const VISIBLE_MS = 250;
/** Hours of one kind in one run; the rest waits for the next. */
const HOURS_PER_RUN = 500;

/** Columns of a roll-up: `<field>.<statistic>`; a dot is in no name of a device's field. `true` counts for booleans. */
export const STATISTICS = ['n', 'sum', 'min', 'max', 'last', 'true'] as const;

/**
 * Recomputes roll-ups on the server (`SELECT ... INTO`), for whole hours of a kind that got data. Not continuous
 * queries: those look at an interval once, when it ends, and never see what comes late.
 */
export class InfluxRollup {
  readonly #client: InfluxClient;
  readonly #dirty: DirtyHours;
  readonly #database: string;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(client: InfluxClient, dirty: DirtyHours, { database, clock, log }: { database: string; clock: Clock; log: Log }) {
    this.#client = client;
    this.#dirty = dirty;
    this.#database = database;
    this.#clock = clock;
    this.#log = log;
  }

  /** One run; an hour that fails stays dirty. `stopping` is asked between hours. Throws GEWU_STORE_UNAVAILABLE. */
  async run(stopping: () => boolean): Promise<void> {
    const due = await this.#dirty.list({ from: 0, to: this.#clock.now() - SETTLE_MS - HOUR_MS });
    if (due.length === 0) return;
    await pause(VISIBLE_MS);
    const groups = Map.groupBy(due, (d) => `${d.kind} ${d.hour}`);
    for (const notes of [...groups.values()].slice(0, HOURS_PER_RUN)) {
      if (stopping()) return;
      await this.#rollUp(notes as [DirtyHour, ...DirtyHour[]]);
    }
  }

  async #rollUp(notes: [DirtyHour, ...DirtyHour[]]): Promise<void> {
    const [{ kind, hour }] = notes;
    const statements = this.#statements(kind, hour, await this.#fieldsOf(kind));
    try {
      for (const sql of statements) await this.#client.query(sql);
    } catch (error) {
      // A field that changed its type, say: queries keep reading this hour from raw.
      if ((error as { code?: string }).code !== 'GEWU_INTERNAL') throw error;
      this.#log.warn({ err: error, kind, hour }, 'an hour could not be rolled up');
      return;
    }
    await this.#dirty.done(notes);
  }

  async #fieldsOf(kind: string): Promise<Map<string, string>> {
    const [series = []] = await this.#client.query(`SHOW FIELD KEYS ON "${this.#database}" FROM "${RAW}"."${kind}"`);
    const rows = (series[0]?.values ?? []) as [string, string][];
    return new Map(rows.filter(([name]) => name !== MARK));
  }

  #statements(kind: string, hour: number, fields: ReadonlyMap<string, string>): string[] {
    const numbers = [...fields].filter(([, type]) => type !== 'boolean').map(([name]) => name);
    const booleans = [...fields].filter(([, type]) => type === 'boolean').map(([name]) => name);
    const into = (policy: string, every: string, select: string, where = '') =>
      `SELECT ${select} INTO "${this.#database}"."${policy}"."${kind}" FROM "${this.#database}"."${RAW}"."${kind}" ` +
      `WHERE ${where}time >= ${hour}ms AND time < ${hour + HOUR_MS}ms GROUP BY time(${every}), * fill(none)`;
    const statements: string[] = [];
    for (const [policy, every] of [
      [MINUTES, '1m'],
      [HOURS, '1h'],
    ] as const) {
      if (numbers.length > 0) statements.push(into(policy, every, numbers.map(selectNumber).join(', ')));
      if (booleans.length > 0) statements.push(into(policy, every, booleans.map(selectBoolean).join(', ')));
      for (const name of booleans)
        statements.push(into(policy, every, `count("${name}") AS "${name}.true"`, `"${name}" = true AND `));
    }
    return statements;
  }
}

function selectNumber(name: string): string {
  const f = `"${name}"`;
  return `count(${f}) AS "${name}.n", sum(${f}) AS "${name}.sum", min(${f}) AS "${name}.min", max(${f}) AS "${name}.max", last(${f}) AS "${name}.last"`;
}

function selectBoolean(name: string): string {
  return `count("${name}") AS "${name}.n", last("${name}") AS "${name}.last"`;
}
