import { sql } from 'kysely';
import type { AlertTopic, IncidentAnswer, MessageAnswer, NotifySettings, NotifySettingsAnswer } from '#grid/api/mod.ts';
import { type Clock, GewuError, type Log, type Metrics } from '#service/mod.ts';
import { type Asker, AUDIT_LOCK, type Audit, actorOf } from '../audit/mod.ts';
import type { Page } from '../cases/mod.ts';
import { type Database, type Lock, pageOf, type Queries, readCursor } from '../database/mod.ts';
import { type Channel, createChannel } from './channels/mod.ts';
import type { NotifyConfig } from './config.ts';
import { NotifySettingsError, onDuty, settingsMistakes } from './duty.ts';
import { Incidents } from './incidents.ts';
import { hashOfCode, Outbox } from './outbox.ts';
import { toIncidents, toMessage } from './rows.ts';
import { testText } from './texts.ts';
import type { Alert, AlertSource, IncidentFilter, MessageFilter, NotifyService } from './types.ts';

export interface NotifyDependencies {
  config: NotifyConfig;
  sources: readonly AlertSource[];
  database: Database;
  audit: Audit;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

const TURN_MS = 1_000;
const LOOK_MS = 5_000;
const TRIM_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
const LIMIT_DEFAULT = 100;
/** Closed ones that are kept, with their alerts and messages. */
const INCIDENTS_MAX = 10_000;
/** Test messages that wait at a time: a button is no cannon. */
const TESTS_MAX = 5;
/** Held by whoever decides what people are told. */
const NOTIFY_LOCK: Lock = { name: 'notify', mode: 'exclusive' };
const NOBODY: NotifySettings = {
  timeZone: 'Asia/Shanghai',
  calendars: {},
  people: [],
  shifts: [],
  fallback: [],
  escalateMinutes: 15,
};

/** Builds the service; the database must be started before it, and stopped after it. */
export function createNotifyService(dependencies: NotifyDependencies): NotifyService {
  return new Notifier(dependencies);
}

class Notifier implements NotifyService {
  readonly #deps: NotifyDependencies;
  readonly #channels: ReadonlyMap<string, Channel>;
  readonly #outbox: Outbox;
  readonly #incidents: Incidents;
  #timer: NodeJS.Timeout | null = null;
  #turning: Promise<void> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #trimmedAt = Number.NEGATIVE_INFINITY;

  constructor(dependencies: NotifyDependencies) {
    this.#deps = dependencies;
    const { config, clock } = dependencies;
    this.#channels = new Map(config.channels.map((channel) => [channel.id, createChannel(channel, clock)]));
    const { publicUrl } = config;
    this.#outbox = new Outbox({ ...dependencies, channels: this.#channels, publicUrl });
    this.#incidents = new Incidents({ config, outbox: this.#outbox, clock });
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#turnSoon(), TURN_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await this.#turning?.catch(() => undefined);
  }

  turn(): Promise<void> {
    this.#turning ??= this.#turn().finally(() => {
      this.#turning = null;
    });
    return this.#turning;
  }

  async settings(): Promise<NotifySettingsAnswer> {
    const { revision, settings } = await readSettings(this.#deps.database.kysely);
    const channels = [...this.#channels.values()].map(({ id, kind, host }) => ({ id, kind, host }));
    const duty = onDuty(settings, null, this.#deps.clock.now()).map((p) => p.id);
    return { revision, settings, channels, onDuty: duty };
  }

  async setSettings(settings: NotifySettings, change: { revision: number; by: Asker }): Promise<NotifySettingsAnswer> {
    const mistakes = settingsMistakes(settings, this.#channels);
    if (mistakes.length > 0) throw new NotifySettingsError(mistakes);
    const { database, audit, clock } = this.#deps;
    await database.transaction(
      async (db) => {
        const present = await readSettings(db);
        if (present.revision !== change.revision)
          throw new GewuError('GEWU_REVISION_STALE', `the settings are at revision ${present.revision}, not ${change.revision}`);
        const revision = present.revision + 1;
        const row = { revision, settings_json: JSON.stringify(settings), at: clock.now(), by: change.by.id };
        await db.insertInto('notify_settings').values(row).execute();
        await this.#incidents.renew(db);
        const detail = { revision, people: settings.people.length, shifts: settings.shifts.length };
        await audit.recordIn(db, { ...actorOf(change.by), action: 'notify-settings-set', subject: 'notify:settings', detail });
      },
      { locks: [AUDIT_LOCK, NOTIFY_LOCK] },
    );
    return this.settings();
  }

  async incidents({ open, topic, limit = LIMIT_DEFAULT, cursor }: IncidentFilter): Promise<Page<IncidentAnswer>> {
    const { kysely } = this.#deps.database;
    let query = kysely.selectFrom('notify_incidents').selectAll();
    if (open !== undefined) query = query.where('closed_at', open ? 'is' : 'is not', null);
    if (topic !== undefined) query = query.where('topic', '=', topic);
    const after = readCursor(cursor);
    if (after) query = query.where(sql<boolean>`(opened_at, id) < (${after.at}, ${after.id})`);
    const rows = await query
      .orderBy('opened_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const { page, cursor: next } = pageOf(rows, limit, (row) => [row.opened_at, row.id]);
    return { items: await toIncidents(kysely, page), cursor: next };
  }

  async messages({ incident, person, state, limit = LIMIT_DEFAULT, cursor }: MessageFilter): Promise<Page<MessageAnswer>> {
    let query = this.#deps.database.kysely.selectFrom('notify_messages').selectAll();
    if (incident !== undefined) query = query.where('incident', '=', incident);
    if (person !== undefined) query = query.where('person', '=', person);
    if (state !== undefined) query = query.where('state', '=', state);
    const after = readCursor(cursor);
    if (after) query = query.where(sql<boolean>`(created_at, id) < (${after.at}, ${after.id})`);
    const rows = await query
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const { page, cursor: next } = pageOf(rows, limit, (row) => [row.created_at, row.id]);
    return { items: page.map(toMessage), cursor: next };
  }

  acknowledge(id: string, by: Asker): Promise<IncidentAnswer> {
    return this.#deps.database.transaction((db) => this.#acknowledge(db, id, by), { locks: [AUDIT_LOCK, NOTIFY_LOCK] });
  }

  acknowledgeByLink(code: string): Promise<IncidentAnswer> {
    const now = this.#deps.clock.now();
    return this.#deps.database.transaction(
      async (db) => {
        const link = await db
          .selectFrom('notify_links')
          .selectAll()
          .where('sha256', '=', hashOfCode(code))
          .where('expires_at', '>', now)
          .executeTakeFirst();
        if (link === undefined) throw new GewuError('GEWU_NOT_FOUND', 'this link was used, is too old, or is not one of ours');
        return this.#acknowledge(db, link.incident, { id: link.person, roles: ['link'] });
      },
      { locks: [AUDIT_LOCK, NOTIFY_LOCK] },
    );
  }

  async test(person: string, channel: string, by: Asker): Promise<MessageAnswer> {
    const { database, audit, clock } = this.#deps;
    const row = await database.transaction(
      async (db) => {
        const { settings } = await readSettings(db);
        const known = settings.people.find((p) => p.id === person && p.to.some((to) => to.channel === channel));
        if (known === undefined) throw new GewuError('GEWU_NOT_FOUND', `${person} has no channel ${channel}`);
        const waiting = await db
          .selectFrom('notify_messages')
          .select('id')
          .where('why', '=', 'test')
          .where('state', '=', 'waiting')
          .limit(TESTS_MAX)
          .execute();
        if (waiting.length >= TESTS_MAX) throw new GewuError('GEWU_TOO_MANY_REQUESTS', `${TESTS_MAX} test messages wait already`);
        const message = { incident: null, person: known, why: 'test', urgent: false, channel, notBefore: clock.now() } as const;
        const [made] = await this.#outbox.put(db, { ...message, ...testText(known.language) });
        if (made === undefined) throw new GewuError('GEWU_TOO_MANY_REQUESTS', 'too many messages wait already');
        const detail = { channel };
        await audit.recordIn(db, { ...actorOf(by), action: 'notify-tested', subject: `person:${person}`, detail });
        return made;
      },
      { locks: [AUDIT_LOCK, NOTIFY_LOCK] },
    );
    this.#turnSoon();
    return toMessage(row);
  }

  async #acknowledge(db: Queries, id: string, by: Asker): Promise<IncidentAnswer> {
    const { audit, clock } = this.#deps;
    const row = await db.selectFrom('notify_incidents').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no incident ${id}`);
    if (row.acknowledged_at === null) {
      const set = { acknowledged_at: clock.now(), acknowledged_by: by.id, tell_at: null, escalates_at: null };
      await db.updateTable('notify_incidents').set(set).where('id', '=', id).execute();
      await db.deleteFrom('notify_links').where('incident', '=', id).execute();
      const detail = { topic: row.topic };
      await audit.recordIn(db, { ...actorOf(by), action: 'incident-acknowledged', subject: `incident:${id}`, detail });
    }
    const fresh = await db.selectFrom('notify_incidents').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    return (await toIncidents(db, [fresh]))[0] as IncidentAnswer;
  }

  #turnSoon(): void {
    if (this.#timer === null) return;
    this.turn().catch((error: unknown) => this.#deps.log.warn({ err: error }, 'nobody could be told now; tried again'));
  }

  async #turn(): Promise<void> {
    const { database, clock } = this.#deps;
    const looked = clock.monotonic() - this.#lookedAt >= LOOK_MS ? await this.#look() : null;
    const settings = await database.transaction(
      async (db) => {
        if (looked !== null) await this.#incidents.reconcile(db, looked.topics, looked.alerts);
        const { settings: present } = await readSettings(db);
        await this.#incidents.step(db, present);
        return present;
      },
      { locks: [NOTIFY_LOCK] },
    );
    const languages = new Map(settings.people.map((p) => [p.id, p.language]));
    const given = await this.#outbox.deliver((person) => languages.get(person) ?? 'zh-CN');
    await this.#incidents.hurry(database.kysely, given);
    if (clock.monotonic() - this.#trimmedAt >= TRIM_MS) await this.#trim();
  }

  /** A source that cannot say is left out: its alerts stay as they were. */
  async #look(): Promise<{ topics: AlertTopic[]; alerts: Alert[] }> {
    const { sources, clock, log } = this.#deps;
    this.#lookedAt = clock.monotonic();
    const said = await Promise.all(
      sources.map(async ({ topics, read }) => {
        try {
          return { topics, alerts: await read() };
        } catch (error) {
          log.debug({ err: error, topics }, 'alerts cannot be looked for now');
          return { topics: [], alerts: [] };
        }
      }),
    );
    return { topics: said.flatMap((s) => s.topics), alerts: said.flatMap((s) => s.alerts) };
  }

  async #trim(): Promise<void> {
    const { config, clock, database } = this.#deps;
    const now = clock.now();
    this.#trimmedAt = clock.monotonic();
    // However much comes and goes: the end of the last of those that are kept.
    const oldest = await database.kysely
      .selectFrom('notify_incidents')
      .select('closed_at')
      .where('closed_at', 'is not', null)
      .orderBy('closed_at', 'desc')
      .limit(1)
      .offset(INCIDENTS_MAX)
      .executeTakeFirst();
    const before = Math.max(now - config.historyDays * DAY_MS, oldest?.closed_at ?? 0);
    await database.transaction(async (db) => {
      const over = db.selectFrom('notify_incidents').select('id').where('closed_at', '<', before);
      await db.deleteFrom('notify_links').where('expires_at', '<', now).execute();
      await db.deleteFrom('notify_messages').where('incident', 'in', over).execute();
      await db.deleteFrom('notify_messages').where('incident', 'is', null).where('created_at', '<', before).execute();
      await db.deleteFrom('notify_alerts').where('incident', 'in', over).execute();
      await db.deleteFrom('notify_links').where('incident', 'in', over).execute();
      await db.deleteFrom('notify_incidents').where('closed_at', '<', before).execute();
    });
  }
}

async function readSettings(db: Queries): Promise<{ revision: number; settings: NotifySettings }> {
  const row = await db.selectFrom('notify_settings').selectAll().orderBy('revision', 'desc').limit(1).executeTakeFirst();
  return row === undefined
    ? { revision: 0, settings: NOBODY }
    : { revision: row.revision, settings: JSON.parse(row.settings_json) };
}
