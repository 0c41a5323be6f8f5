import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { GewuError, type Log, type Service } from '#service/mod.ts';
import type { DatabaseConfig, PostgresConfig } from './config.ts';
import { toStoreError } from './failures.ts';
import { connectionOptions } from './postgres.ts';

/** PostgreSQL refuses 8,000 and more. Source: its documentation of NOTIFY. */
export const CHANNEL_TEXT_BYTES_MAX = 7_999;
const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 10_000;
/** What is said is a few kilobytes, and waits for no disk: a server that takes longer has gone. */
const SAY_MS_MAX = 5_000;

/** What a channel tells the one who listens. Called in this order, as often as the connection comes and goes: opened, heard..., closed. */
export interface ChannelEars {
  opened(): void;
  heard(text: string): void;
  /** What was said by others from now until `opened` is not heard. */
  closed(): void;
}

/** Short texts between the processes that share a PostgreSQL. A connection that is lost is opened anew, for as long as it takes. */
export interface Channel extends Service {
  /** Heard by all, who says it included, in this order. Throws GEWU_STORE_UNAVAILABLE: nobody may have heard it. */
  say(texts: readonly string[]): Promise<void>;
}

export interface ChannelDependencies {
  config: DatabaseConfig;
  name: string;
  ears: ChannelEars;
  log: Log;
}

/** Null with SQLite, which serves one process. */
export function createChannel({ config, ...rest }: ChannelDependencies): Channel | null {
  return config.store === 'postgres' ? new PostgresChannel({ config, ...rest }) : null;
}

/** LISTEN and NOTIFY on a connection of its own: what can be said can be heard, and no pool is short of one. */
class PostgresChannel implements Channel {
  readonly #deps: ChannelDependencies & { config: PostgresConfig };
  #client: pg.Client | null = null;
  #stopping: AbortController | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(dependencies: ChannelDependencies & { config: PostgresConfig }) {
    this.#deps = dependencies;
  }

  /** Does not wait for the connection. */
  async start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping?.abort();
    await this.#running;
  }

  async say(texts: readonly string[]): Promise<void> {
    const client = this.#client;
    const { name } = this.#deps;
    if (client === null) throw new GewuError('GEWU_STORE_UNAVAILABLE', `the channel ${name} is closed`);
    try {
      // The server keeps no notification over a restart: the commit need not wait until it is on disk.
      await client.query(
        "select set_config('synchronous_commit', 'off', true), pg_notify($1, said) from unnest($2::text[]) as said",
        [name, texts],
      );
    } catch (error) {
      // One that takes this long, or refuses it, is opened anew.
      void client.end();
      throw toStoreError(error);
    }
  }

  async #run(stopping: AbortSignal): Promise<void> {
    const { log, name } = this.#deps;
    let backoffMs = BACKOFF_MS_MIN;
    while (!stopping.aborted) {
      let reason = 'the connection was lost';
      try {
        await this.#session(stopping);
        backoffMs = BACKOFF_MS_MIN;
      } catch (error) {
        reason = (error as Error).message;
      }
      if (stopping.aborted) return;
      log.warn({ channel: name, reason, waitMs: backoffMs }, 'the channel between replicas is closed; opened anew');
      await pause(backoffMs, undefined, { signal: stopping }).catch(() => undefined);
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2);
    }
  }

  /** From a connection's beginning to its end. Throws what kept it from opening. */
  async #session(stopping: AbortSignal): Promise<void> {
    const { config, name, ears, log } = this.#deps;
    const client = new pg.Client({ ...connectionOptions(config, `gewu ${name}`), query_timeout: SAY_MS_MAX });
    const ended = new Promise<'ended'>((resolve) => client.once('end', () => resolve('ended')));
    client.on('error', (error) => log.debug({ error: error.message, channel: name }, 'the connection of a channel failed'));
    client.on('notification', ({ payload = '' }) => ears.heard(payload));
    const end = () => void client.end();
    stopping.addEventListener('abort', end);
    try {
      // An attempt that is ended says nothing of its own.
      if ((await Promise.race([this.#open(client), ended])) === 'ended') return;
      this.#client = client;
      ears.opened();
      await ended;
      ears.closed();
    } finally {
      this.#client = null;
      stopping.removeEventListener('abort', end);
      end();
    }
  }

  async #open(client: pg.Client): Promise<void> {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(this.#deps.name)}`);
  }
}
