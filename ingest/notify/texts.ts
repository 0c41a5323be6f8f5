import type { AlertTopic, MessageReason, NotifyLanguage, NotifySettings } from '#grid/api/mod.ts';

/** Of an alert, what a message says. */
export interface Told {
  subject_id: string;
  since: number;
  note_zh: string;
  note_en: string;
}

/** Lines of one message; what is beyond is counted. */
const LINES_MAX = 12;

const TOPICS: Record<AlertTopic, { zh: string; en: string }> = {
  'edge-silent': { zh: '边缘节点失联', en: 'edge node silent' },
  'camera-fault': { zh: '摄像机故障', en: 'camera fault' },
  'device-fault': { zh: '传感器故障', en: 'sensor fault' },
  'battery-low': { zh: '电池电量低', en: 'battery low' },
  'backlog-growing': { zh: '边缘积压增长', en: 'backlog growing' },
  'dead-letters': { zh: '死信增多', en: 'dead letters' },
  'store-down': { zh: '存储不可用', en: 'store down' },
  'urgent-case': { zh: '紧急案件', en: 'urgent case' },
};

const WORDS = {
  'zh-CN': {
    app: '格物',
    urgent: '紧急',
    escalation: '升级',
    over: '已解除',
    more: '另有',
    rest: (n: number) => `……另有 ${n} 项`,
    since: (at: string) => `自 ${at}`,
    count: (n: number) => `${n} 项`,
    unacknowledged: '此前的值班人员未确认。',
    link: '确认收到',
    testTitle: '测试消息',
    testBody: '这是一条测试消息，收到即表示渠道可用。',
  },
  en: {
    app: 'Gewu',
    urgent: 'URGENT',
    escalation: 'ESCALATED',
    over: 'over',
    more: 'more',
    rest: (n: number) => `... and ${n} more`,
    since: (at: string) => `since ${at}`,
    count: (n: number) => `${n}`,
    unacknowledged: 'Whoever was told before has not acknowledged.',
    link: 'Acknowledge',
    testTitle: 'Test message',
    testBody: 'This is a test message: the channel works.',
  },
} as const satisfies Record<NotifyLanguage, object>;

export const linkLabel = (language: NotifyLanguage): string => WORDS[language].link;

export function testText(language: NotifyLanguage): { title: string; body: string } {
  const { app, testTitle, testBody } = WORDS[language];
  return { title: `[${app}] ${testTitle}`, body: testBody };
}

export interface TextOptions {
  topic: AlertTopic;
  why: MessageReason;
  urgent: boolean;
  /** What it is about, the oldest first. */
  alerts: readonly Told[];
  language: NotifyLanguage;
  settings: Pick<NotifySettings, 'timeZone'>;
}

/** One message about one incident: `[Gewu] URGENT: edge node silent, 3`. */
export function textOf({ topic, why, urgent, alerts, language, settings }: TextOptions): { title: string; body: string } {
  const words = WORDS[language];
  const zh = language === 'zh-CN';
  const name = TOPICS[topic][zh ? 'zh' : 'en'];
  const marks = [
    ...(urgent && why !== 'over' ? [words.urgent] : []),
    ...(why === 'escalation' ? [words.escalation] : []),
    ...(why === 'more' ? [words.more] : []),
  ];
  const head = marks.length === 0 ? '' : `${marks.join(zh ? '·' : ' ')}${zh ? '：' : ': '}`;
  const tail = why === 'over' ? `${zh ? '，' : ', '}${words.over}` : '';
  const title = `[${words.app}] ${head}${name}${zh ? ' ' : ', '}${words.count(alerts.length)}${tail}`;
  const lines = alerts.slice(0, LINES_MAX).map(({ subject_id, since, note_zh, note_en }) => {
    const note = zh ? note_zh : note_en;
    return [subject_id, ...(note === '' ? [] : [note]), words.since(momentText(since, settings.timeZone))].join(' · ');
  });
  const rest = alerts.length - lines.length;
  const body = [...(why === 'escalation' ? [words.unacknowledged] : []), ...lines, ...(rest > 0 ? [words.rest(rest)] : [])].join(
    '\n',
  );
  return { title, body };
}

/** `2026-11-28 17:30:05`, by the clock of the people who read it. */
function momentText(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(at);
}
