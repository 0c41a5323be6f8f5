import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';
import { Calendars, TimeWindow } from '../rules/mod.ts';
import { nullable, Time } from './parts.ts';

const strict = { additionalProperties: false } as const;

/** What people are told of. Those of `URGENT_TOPICS` pass quiet hours. */
export const ALERT_TOPICS = [
  'edge-silent',
  'camera-fault',
  'device-fault',
  'battery-low',
  'backlog-growing',
  'dead-letters',
  'store-down',
  'urgent-case',
] as const;
export type AlertTopic = (typeof ALERT_TOPICS)[number];
export const URGENT_TOPICS: readonly AlertTopic[] = ['edge-silent', 'store-down', 'urgent-case'];

export const CHANNEL_KINDS = ['webhook', 'smtp', 'wecom', 'dingtalk', 'feishu'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

export const NOTIFY_LANGUAGES = ['zh-CN', 'en'] as const;
export type NotifyLanguage = (typeof NOTIFY_LANGUAGES)[number];

const Windows = Type.Array(TimeWindow, { maxItems: 21 });
export const NotifyPerson = Type.Object(
  {
    id: Id(),
    name: Type.String({ minLength: 1, maxLength: 64 }),
    language: Type.Enum(NOTIFY_LANGUAGES, { default: 'zh-CN' }),
    to: Type.Array(
      Type.Object(
        {
          channel: Id('of the configuration'),
          address: Type.String({ maxLength: 254, default: '', description: 'e-mail; mobile number that a robot mentions' }),
        },
        strict,
      ),
      { minItems: 1, maxItems: 8 },
    ),
    quiet: Type.Optional({ ...Windows, description: 'messages wait for their end, urgent ones do not' }),
  },
  strict,
);
export type NotifyPerson = Static<typeof NotifyPerson>;

export const DutyShift = Type.Object(
  {
    id: Id(),
    when: { ...Windows, minItems: 1, description: 'any of them; calendars are those of these settings' },
    topics: Type.Optional(Type.Array(Type.Enum(ALERT_TOPICS), { maxItems: ALERT_TOPICS.length, description: 'none: all' })),
    people: Type.Array(Id(), { minItems: 1, maxItems: 20, description: 'in the order in which they are told' }),
  },
  strict,
);
export type DutyShift = Static<typeof DutyShift>;

/** Who is told, and when. */
export const NotifySettings = Type.Object(
  {
    timeZone: Type.String({ minLength: 1, maxLength: 64, default: 'Asia/Shanghai', description: 'IANA name' }),
    calendars: { ...Calendars, default: {} },
    people: Type.Array(NotifyPerson, { maxItems: 200, default: [] }),
    shifts: Type.Array(DutyShift, { maxItems: 100, default: [] }),
    fallback: Type.Array(Id(), {
      maxItems: 20,
      default: [],
      description: 'who is told when nobody is on duty, or nobody on duty acknowledges',
    }),
    escalateMinutes: Type.Number({
      minimum: 0.01,
      maximum: 1440,
      default: 15,
      description: 'unacknowledged for so long, the next person is told',
    }),
  },
  strict,
);
export type NotifySettings = Static<typeof NotifySettings>;

const Revision = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, description: '0: nothing was ever set' });
export const NotifySettingsChange = Type.Object(
  { revision: { ...Revision, description: 'the newest, as you have seen it; another answers 409' }, settings: NotifySettings },
  strict,
);
export const ChannelAnswer = Type.Object(
  { id: Id(), kind: Type.Enum(CHANNEL_KINDS), host: Type.String({ description: 'never with its key' }) },
  strict,
);
export type ChannelAnswer = Static<typeof ChannelAnswer>;
export const NotifySettingsAnswer = Type.Object(
  {
    revision: Revision,
    settings: NotifySettings,
    channels: Type.Array(ChannelAnswer, { description: 'of the configuration; only there they can be changed' }),
    onDuty: Type.Array(Id(), { description: 'now, of any topic, in the order in which they are told' }),
  },
  strict,
);
export type NotifySettingsAnswer = Static<typeof NotifySettingsAnswer>;

/** What an alert is about: `edge edge-01`, `case 7f..`, `store timeseries`. */
export const AlertSubject = Type.Object({ of: Type.String(), id: Type.String() }, strict);
export const IncidentAnswer = Type.Object(
  {
    id: Id(),
    topic: Type.Enum(ALERT_TOPICS),
    urgent: Type.Boolean(),
    openedAt: Time,
    alerts: Type.Integer({ description: 'that ever belonged to it' }),
    present: Type.Integer({ description: 'of them still so' }),
    subjects: Type.Array(
      Type.Object({ ...AlertSubject.properties, since: Time, noteZh: Type.String(), noteEn: Type.String() }, strict),
      { description: 'still so, or all where none is; 20 at most' },
    ),
    told: Type.Array(Id(), { description: 'people, in the order in which they were told' }),
    escalatesAt: nullable(Time),
    acknowledgedAt: nullable(Time),
    acknowledgedBy: nullable(Type.String()),
    closedAt: nullable(Time),
  },
  { ...strict, description: 'alerts of one topic that people are told of together' },
);
export type IncidentAnswer = Static<typeof IncidentAnswer>;

export const MESSAGE_REASONS = ['alert', 'more', 'escalation', 'over', 'test'] as const;
export type MessageReason = (typeof MESSAGE_REASONS)[number];
export const MESSAGE_STATES = ['waiting', 'sent', 'failed'] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];
export const MessageAnswer = Type.Object(
  {
    id: Id(),
    incident: nullable(Id('null: a test')),
    person: Id(),
    channel: Id(),
    why: Type.Enum(MESSAGE_REASONS),
    title: Type.String(),
    state: Type.Enum(MESSAGE_STATES),
    attempts: Type.Integer(),
    fault: nullable(Type.String({ description: 'of the last attempt' })),
    createdAt: Time,
    nextAt: nullable(Time),
    sentAt: nullable(Time),
  },
  strict,
);
export type MessageAnswer = Static<typeof MessageAnswer>;
