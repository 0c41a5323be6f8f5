import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { MessageReason, NotifyPerson } from '#grid/api/mod.ts';
import { type Clock, Counter, type Log, type Metrics } from '#service/mod.ts';
import type { Database, NotifyMessagesTable, Queries } from '../database/mod.ts';
import { type Channel, ChannelFault } from './channels/mod.ts';
import { linkLabel } from './texts.ts';

/** Messages that wait; beyond it none is taken: nobody reads ten thousand. */
const WAITING_MAX = 10_000;
/** Sent at a time by one replica. */
const AT_ONCE_MAX = 8;
const BACKOFF_MS_MIN = 5_000;
const BACKOFF_MS_MAX = 10 * 60_000;
/** Given up after so many attempts: with the waits between them about three hours. */
const ATTEMPTS_MAX = 24;
/** Whoever sends has so long; who died meanwhile has not sent, as far as the others know. */
const CLAIM_MS = 60_000;
const LINK_MS = 7 * 86_400_000;
const CODE_BYTES = 24;
const FAULT_CHARS_MAX = 300;

export const hashOfCode = (code: string): string => createHash('sha256').update(code).digest('hex');

export interface OutboxDependencies {
  database: Database;
  channels: ReadonlyMap<string, Channel>;
  publicUrl: string | undefined;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

export interface NewMessage {
  incident: string | null;
  person: NotifyPerson;
  why: MessageReason;
  urgent: boolean;
  title: string;
  body: string;
  /** Not before, UTC ms. */
  notBefore: number;
  /** One of the person's channels; all of them where not given. */
  channel?: string | undefined;
}

/**
 * The messages to people, durable: written in the transaction that decides them, sent at least once, tried again with waits that double, given up
 * after ATTEMPTS_MAX. A kill between sending and noting it sends twice, under the same id.
 */
export class Outbox {
  readonly #deps: OutboxDependencies;
  readonly #messages: Counter<'channel' | 'outcome'>;

  constructor(dependencies: OutboxDependencies) {
    this.#deps = dependencies;
    this.#messages = new Counter({
      name: 'gewu_notify_messages_total',
      help: 'Messages to people: sent, tried in vain, given up, or not taken because too many wait',
      labelNames: ['channel', 'outcome'],
      registers: [dependencies.metrics],
    });
  }

  /** One message for each channel of the person. Returns the rows; none where there is no room. */
  async put(db: Queries, message: NewMessage): Promise<NotifyMessagesTable[]> {
    const { incident, person, why, urgent, title, body, notBefore, channel } = message;
    const now = this.#deps.clock.now();
    const rows = person.to
      .filter((to) => channel === undefined || to.channel === channel)
      .map(
        (to): NotifyMessagesTable => ({
          id: randomUUID(),
          incident,
          person: person.id,
          ...to,
          why,
          urgent: urgent ? 1 : 0,
          title,
          body,
          state: 'waiting',
          attempts: 0,
          fault: null,
          created_at: now,
          next_at: Math.max(now, notBefore),
          sent_at: null,
        }),
      );
    if (rows.length === 0) return [];
    const { count } = await db
      .selectFrom('notify_messages')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('state', '=', 'waiting')
      .executeTakeFirstOrThrow();
    if (Number(count) + rows.length > WAITING_MAX) {
      for (const row of rows) this.#messages.inc({ channel: row.channel, outcome: 'no-room' });
      this.#deps.log.error({ incident, person: person.id }, 'too many messages wait: this one was not taken');
      return [];
    }
    await db.insertInto('notify_messages').values(rows).execute();
    return rows;
  }

  /** Sends what is due; never throws for a message. Returns the incidents whose message was given up. */
  async deliver(language: (person: string) => NotifyPerson['language']): Promise<string[]> {
    const now = this.#deps.clock.now();
    const { kysely } = this.#deps.database;
    const due = await kysely
      .selectFrom('notify_messages')
      .selectAll()
      .where('state', '=', 'waiting')
      .where('next_at', '<=', now)
      .orderBy('urgent', 'desc')
      .orderBy('next_at')
      .limit(AT_ONCE_MAX)
      .execute();
    const given = await Promise.all(due.map((row) => this.#one(row, language(row.person))));
    return given.filter((incident) => incident !== null);
  }

  /** The incident of a message that was given up. */
  async #one(row: NotifyMessagesTable, language: NotifyPerson['language']): Promise<string | null> {
    const { kysely } = this.#deps.database;
    const { clock, log, channels } = this.#deps;
    // Whoever changes the row first has it.
    const claimed = await kysely
      .updateTable('notify_messages')
      .set({ attempts: row.attempts + 1, next_at: clock.now() + CLAIM_MS })
      .where('id', '=', row.id)
      .where('state', '=', 'waiting')
      .where('attempts', '=', row.attempts)
      .executeTakeFirst();
    if (claimed.numUpdatedRows !== 1n) return null;
    const attempts = row.attempts + 1;
    const write = (set: Partial<NotifyMessagesTable>) =>
      kysely.updateTable('notify_messages').set(set).where('id', '=', row.id).execute();
    try {
      const channel = channels.get(row.channel);
      if (channel === undefined) throw new ChannelFault('the configuration has no such channel any more', { again: false });
      await channel.send(await this.#outgoing(row, language));
      this.#messages.inc({ channel: row.channel, outcome: 'sent' });
      await write({ state: 'sent', sent_at: clock.now(), next_at: null, fault: null });
      return null;
    } catch (error) {
      if (!(error instanceof ChannelFault)) throw error;
      const over = !error.again || attempts >= ATTEMPTS_MAX;
      const fault = error.message.replaceAll('\u0000', '').slice(0, FAULT_CHARS_MAX);
      this.#messages.inc({ channel: row.channel, outcome: over ? 'given-up' : 'failed' });
      log.warn({ message: row.id, channel: row.channel, attempts, fault }, over ? 'a message was given up' : 'a message waits');
      const waitMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (attempts - 1));
      await write(over ? { state: 'failed', next_at: null, fault } : { next_at: clock.now() + waitMs, fault });
      return over ? row.incident : null;
    }
  }

  /** Each attempt has a link of its own: nobody knows which of them arrived. */
  async #outgoing(row: NotifyMessagesTable, language: NotifyPerson['language']) {
    const { id, incident, person, title, body, urgent, address, why } = row;
    const { kysely } = this.#deps.database;
    const about =
      incident === null
        ? undefined
        : await kysely
            .selectFrom('notify_incidents')
            .select(['topic', 'acknowledged_at'])
            .where('id', '=', incident)
            .executeTakeFirst();
    const asks = about !== undefined && about.acknowledged_at === null && why !== 'over';
    const link = asks && incident !== null ? await this.#link(incident, person) : null;
    return {
      id,
      title,
      body,
      urgent: urgent === 1,
      link,
      linkLabel: linkLabel(language),
      topic: about?.topic ?? 'test',
      address,
    };
  }

  async #link(incident: string, person: string): Promise<string | null> {
    const { publicUrl, database, clock } = this.#deps;
    if (publicUrl === undefined) return null;
    const code = randomBytes(CODE_BYTES).toString('base64url');
    await database.kysely
      .insertInto('notify_links')
      .values({ sha256: hashOfCode(code), incident, person, expires_at: clock.now() + LINK_MS })
      .execute();
    // Behind `#`: no log of a proxy holds it, and what only fetches addresses, as mail scanners do, acknowledges nothing.
    return new URL(`/acknowledge#code=${code}`, publicUrl).href;
  }
}
