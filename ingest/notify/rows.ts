import type { AlertTopic, IncidentAnswer, MessageAnswer, MessageReason, MessageState } from '#grid/api/mod.ts';
import type { NotifyIncidentsTable, NotifyMessagesTable, Queries } from '../database/mod.ts';
import { isUrgent } from './duty.ts';

/** Subjects that an incident is listed with. */
const SUBJECTS_MAX = 20;

export async function toIncidents(db: Queries, rows: readonly NotifyIncidentsTable[]): Promise<IncidentAnswer[]> {
  if (rows.length === 0) return [];
  const alerts = await db
    .selectFrom('notify_alerts')
    .select(['incident', 'subject_of', 'subject_id', 'since', 'note_zh', 'note_en', 'cleared_at'])
    .where(
      'incident',
      'in',
      rows.map((r) => r.id),
    )
    .orderBy('since')
    .orderBy('subject_id')
    .execute();
  const byIncident = Map.groupBy(alerts, (a) => a.incident);
  return rows.map((row) => {
    const own = byIncident.get(row.id) ?? [];
    const present = own.filter((a) => a.cleared_at === null);
    const shown = (present.length > 0 ? present : own).slice(0, SUBJECTS_MAX);
    return {
      id: row.id,
      topic: row.topic as AlertTopic,
      urgent: isUrgent(row.topic as AlertTopic),
      openedAt: row.opened_at,
      alerts: own.length,
      present: present.length,
      subjects: shown.map(({ subject_of: of, subject_id: id, since, note_zh: noteZh, note_en: noteEn }) => ({
        ...{ of, id, since, noteZh, noteEn },
      })),
      told: JSON.parse(row.told_json),
      escalatesAt: row.escalates_at,
      acknowledgedAt: row.acknowledged_at,
      acknowledgedBy: row.acknowledged_by,
      closedAt: row.closed_at,
    };
  });
}

export function toMessage(row: NotifyMessagesTable): MessageAnswer {
  return {
    id: row.id,
    incident: row.incident,
    person: row.person,
    channel: row.channel,
    why: row.why as MessageReason,
    title: row.title,
    state: row.state as MessageState,
    attempts: row.attempts,
    fault: row.fault,
    createdAt: row.created_at,
    nextAt: row.next_at,
    sentAt: row.sent_at,
  };
}
