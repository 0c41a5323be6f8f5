import { randomUUID } from 'node:crypto';
import type { AlertTopic, MessageReason, NotifyPerson, NotifySettings } from '#grid/api/mod.ts';
import type { Clock } from '#service/mod.ts';
import type { NotifyAlertsTable, NotifyIncidentsTable, Queries } from '../database/mod.ts';
import type { NotifyConfig } from './config.ts';
import { inTurn, isUrgent, quietUntil } from './duty.ts';
import type { Outbox } from './outbox.ts';
import { textOf } from './texts.ts';
import type { Alert } from './types.ts';

const MINUTE_MS = 60_000;
const URGENT_REPEAT_MS = MINUTE_MS;
/** Alerts of one topic that are held as such; a storm beyond it is one all the same. */
export const ALERTS_PER_TOPIC_MAX = 2000;
/** Rows of one insert. */
const CHUNK = 200;

export interface IncidentsDependencies {
  config: NotifyConfig;
  outbox: Pick<Outbox, 'put'>;
  clock: Clock;
}

/** What `step` needs of a moment. */
interface Moment {
  db: Queries;
  settings: NotifySettings;
  now: number;
}

const keyOf = ({ of, id }: { of: string; id: string }) => `${of} ${id}`;

/**
 * From alerts to messages. Everything here runs inside one transaction that holds NOTIFY_LOCK: of several replicas one at a time.
 *
 *   new alert --> the topic's open, unacknowledged incident, or a new one --gatherS--> told (first on duty)
 *                                                                                        | nobody acknowledges: next on duty, the fallback, all again
 *   more alerts join ------------------------------------repeatMinutes---------------> told again, all who were told before
 *   all alerts over ------------------------------------------------------------------> closed, told as over
 */
export class Incidents {
  readonly #config: NotifyConfig;
  readonly #outbox: Pick<Outbox, 'put'>;
  readonly #clock: Clock;

  constructor({ config, outbox, clock }: IncidentsDependencies) {
    this.#config = config;
    this.#outbox = outbox;
    this.#clock = clock;
  }

  /** Takes what is so now, of these topics: opens, joins, clears. */
  async reconcile(db: Queries, topics: readonly AlertTopic[], alerts: readonly Alert[]): Promise<void> {
    for (const topic of topics)
      await this.#reconcile(
        db,
        topic,
        alerts.filter((a) => a.topic === topic),
      );
  }

  /** Tells what is due: new alerts, more of them, escalations, ends. */
  async step(db: Queries, settings: NotifySettings): Promise<void> {
    const moment = { db, settings, now: this.#clock.now() };
    const open = await db.selectFrom('notify_incidents').selectAll().where('closed_at', 'is', null).execute();
    for (const incident of open) {
      const alerts = await db.selectFrom('notify_alerts').selectAll().where('incident', '=', incident.id).execute();
      const present = alerts.filter((a) => a.cleared_at === null);
      if (present.length === 0) await this.#close(moment, incident, alerts);
      else if (incident.acknowledged_at !== null) continue;
      else if (incident.tell_at !== null && incident.tell_at <= moment.now) await this.#tell(moment, incident, present);
      else if (incident.escalates_at !== null && incident.escalates_at <= moment.now)
        await this.#escalate(moment, incident, present);
    }
  }

  /** A message was given up: whoever comes next is told at once. */
  async hurry(db: Queries, incidents: readonly string[]): Promise<void> {
    if (incidents.length === 0) return;
    await db
      .updateTable('notify_incidents')
      .set({ escalates_at: this.#clock.now() })
      .where('id', 'in', incidents)
      .where('acknowledged_at', 'is', null)
      .where('closed_at', 'is', null)
      .execute();
  }

  /** Other people, other duty times: what nobody could be told of is told now. */
  async renew(db: Queries): Promise<void> {
    await db
      .updateTable('notify_incidents')
      .set({ tell_at: this.#clock.now() })
      .where('closed_at', 'is', null)
      .where('acknowledged_at', 'is', null)
      .where('told_json', '=', '[]')
      .execute();
  }

  async #reconcile(db: Queries, topic: AlertTopic, alerts: readonly Alert[]): Promise<void> {
    const now = this.#clock.now();
    const known = await db
      .selectFrom('notify_alerts')
      .select(['id', 'subject_of', 'subject_id'])
      .where('cleared_at', 'is', null)
      .where('topic', '=', topic)
      .execute();
    const present = new Map(alerts.slice(0, ALERTS_PER_TOPIC_MAX).map((alert) => [keyOf(alert.subject), alert]));
    const knownKeys = new Set(known.map((a) => keyOf({ of: a.subject_of, id: a.subject_id })));
    const over = known.filter((a) => !present.has(keyOf({ of: a.subject_of, id: a.subject_id }))).map((a) => a.id);
    // A storm that is larger than what is held: what is not in the answer is not over, it is one of many.
    if (over.length > 0 && alerts.length <= ALERTS_PER_TOPIC_MAX)
      for (let i = 0; i < over.length; i += CHUNK)
        await db
          .updateTable('notify_alerts')
          .set({ cleared_at: now })
          .where('id', 'in', over.slice(i, i + CHUNK))
          .execute();
    const fresh = [...present].filter(([key]) => !knownKeys.has(key)).map(([, alert]) => alert);
    if (fresh.length > 0) await this.#join(db, topic, fresh.slice(0, Math.max(0, ALERTS_PER_TOPIC_MAX - known.length)));
  }

  async #join(db: Queries, topic: AlertTopic, fresh: readonly Alert[]): Promise<void> {
    if (fresh.length === 0) return;
    const now = this.#clock.now();
    const incident = (await openIncident(db, topic)) ?? (await this.#open(db, topic));
    const rows = fresh.map(
      ({ subject, since, note }): NotifyAlertsTable => ({
        id: randomUUID(),
        topic,
        subject_of: subject.of,
        subject_id: subject.id,
        since,
        note_zh: note.zh,
        note_en: note.en,
        incident: incident.id,
        opened_at: now,
        cleared_at: null,
      }),
    );
    for (let i = 0; i < rows.length; i += CHUNK)
      await db
        .insertInto('notify_alerts')
        .values(rows.slice(i, i + CHUNK))
        .execute();
    if (incident.tell_at !== null) return;
    const tell_at = await this.#tellAt(db, topic);
    await db.updateTable('notify_incidents').set({ tell_at }).where('id', '=', incident.id).execute();
  }

  /** When people are told next of a topic: what comes and goes, or was acknowledged and comes again, is no flood either. */
  async #tellAt(db: Queries, topic: AlertTopic): Promise<number> {
    const { gatherS, repeatMinutes } = this.#config;
    const last = await db
      .selectFrom('notify_incidents')
      .select(({ fn }) => fn.max('told_at').as('at'))
      .where('topic', '=', topic)
      .executeTakeFirst();
    const repeatMs = isUrgent(topic) ? URGENT_REPEAT_MS : repeatMinutes * MINUTE_MS;
    return Math.max(this.#clock.now() + gatherS * 1000, (last?.at ?? 0) + repeatMs);
  }

  async #open(db: Queries, topic: AlertTopic): Promise<NotifyIncidentsTable> {
    const row: NotifyIncidentsTable = {
      id: randomUUID(),
      topic,
      opened_at: this.#clock.now(),
      tell_at: await this.#tellAt(db, topic),
      told_at: null,
      told_json: '[]',
      escalates_at: null,
      acknowledged_at: null,
      acknowledged_by: null,
      closed_at: null,
    };
    await db.insertInto('notify_incidents').values(row).execute();
    return row;
  }

  async #tell(moment: Moment, incident: NotifyIncidentsTable, alerts: readonly NotifyAlertsTable[]): Promise<void> {
    const told = toldOf(incident);
    const { settings, db, now } = moment;
    if (told.length === 0) return this.#next(moment, incident, alerts, 'alert');
    for (const id of told) {
      const person = settings.people.find((p) => p.id === id);
      if (person) await this.#message(moment, incident, alerts, person, 'more');
    }
    await db.updateTable('notify_incidents').set({ tell_at: null, told_at: now }).where('id', '=', incident.id).execute();
  }

  #escalate(moment: Moment, incident: NotifyIncidentsTable, alerts: readonly NotifyAlertsTable[]): Promise<void> {
    return this.#next(moment, incident, alerts, toldOf(incident).length === 0 ? 'alert' : 'escalation');
  }

  /** The next in turn who does not know of it; where all do, all are told again. Where there is nobody, it is tried again: the shift will change. */
  async #next(
    moment: Moment,
    incident: NotifyIncidentsTable,
    alerts: readonly NotifyAlertsTable[],
    why: MessageReason,
  ): Promise<void> {
    const { db, settings, now } = moment;
    const told = toldOf(incident);
    const people = inTurn(settings, incident.topic as AlertTopic, now);
    const person = people.find((p) => !told.includes(p.id));
    if (person === undefined && told.length > 0) return this.#again(moment, incident, alerts, people);
    // Nobody knows of it yet: whoever comes on duty is not to wait for an answer that nobody can give.
    const waitMs = person === undefined ? MINUTE_MS : settings.escalateMinutes * MINUTE_MS;
    const from = person === undefined ? now : await this.#message(moment, incident, alerts, person, why);
    const set = {
      tell_at: null,
      escalates_at: from + waitMs,
      ...(person === undefined ? {} : { told_at: now, told_json: JSON.stringify([...told, person.id]) }),
    };
    await db.updateTable('notify_incidents').set(set).where('id', '=', incident.id).execute();
  }

  /** All know of it and nobody acknowledges: all are told again, each time after as long as a round of one after the other takes. */
  async #again(
    moment: Moment,
    incident: NotifyIncidentsTable,
    alerts: readonly NotifyAlertsTable[],
    people: readonly NotifyPerson[],
  ): Promise<void> {
    const { db, settings, now } = moment;
    const roundMs = settings.escalateMinutes * MINUTE_MS * Math.max(1, people.length);
    // A message that was given up hurries us: those who cannot be reached are not called all the time.
    const due = (incident.told_at ?? 0) + settings.escalateMinutes * MINUTE_MS <= now;
    if (due) for (const person of people) await this.#message(moment, incident, alerts, person, 'escalation');
    const set = { tell_at: null, escalates_at: now + roundMs, ...(due ? { told_at: now } : {}) };
    await db.updateTable('notify_incidents').set(set).where('id', '=', incident.id).execute();
  }

  /** Returns when the person can know of it, UTC ms. */
  async #message(
    { db, settings, now }: Moment,
    { id, topic: name }: NotifyIncidentsTable,
    alerts: readonly NotifyAlertsTable[],
    person: NotifyPerson,
    why: MessageReason,
  ): Promise<number> {
    const topic = name as AlertTopic;
    const urgent = isUrgent(topic);
    const sorted = [...alerts].sort((a, b) => a.since - b.since || (a.subject_id < b.subject_id ? -1 : 1));
    const text = textOf({ topic, why, urgent, alerts: sorted, language: person.language, settings });
    const notBefore = urgent ? now : quietUntil(settings, person, now);
    await this.#outbox.put(db, { incident: id, person, why, urgent, notBefore, ...text });
    return notBefore;
  }

  async #close(moment: Moment, incident: NotifyIncidentsTable, alerts: readonly NotifyAlertsTable[]): Promise<void> {
    const { db, settings, now } = moment;
    for (const id of toldOf(incident)) {
      const person = settings.people.find((p) => p.id === id);
      if (person) await this.#message(moment, incident, alerts, person, 'over');
    }
    const set = { closed_at: now, tell_at: null, escalates_at: null };
    await db.updateTable('notify_incidents').set(set).where('id', '=', incident.id).execute();
    await db.deleteFrom('notify_links').where('incident', '=', incident.id).execute();
  }
}

/** The incident that new alerts of the topic join: what was acknowledged is in somebody's hands, and what is new is not. */
function openIncident(db: Queries, topic: AlertTopic): Promise<NotifyIncidentsTable | undefined> {
  return db
    .selectFrom('notify_incidents')
    .selectAll()
    .where('topic', '=', topic)
    .where('closed_at', 'is', null)
    .where('acknowledged_at', 'is', null)
    .orderBy('opened_at')
    .limit(1)
    .executeTakeFirst();
}

const toldOf = ({ told_json }: NotifyIncidentsTable): string[] => JSON.parse(told_json);
