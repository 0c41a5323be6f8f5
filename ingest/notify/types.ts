import type {
  AlertTopic,
  IncidentAnswer,
  MessageAnswer,
  MessageState,
  NotifySettings,
  NotifySettingsAnswer,
} from '#grid/api/mod.ts';
import type { Service } from '#service/mod.ts';
import type { Asker } from '../audit/mod.ts';
import type { Page } from '../cases/mod.ts';

/** Something that people should know, as long as it is so. */
export interface Alert {
  topic: AlertTopic;
  /** `edge edge-01`, `case 7f..`: one alert of a topic for each. */
  subject: { of: string; id: string };
  /** UTC ms since when it is so. */
  since: number;
  /** In a few words, for both languages. */
  note: { zh: string; en: string };
}

/** Where alerts come from. */
export interface AlertSource {
  readonly topics: readonly AlertTopic[];
  /**
   * All that is so now: what is missing in the answer is over. Throws when that cannot be said; then everything stays as it was.
   */
  read(): Promise<Alert[]>;
}

export interface IncidentFilter {
  /** Unacknowledged or still so. */
  open?: boolean | undefined;
  topic?: AlertTopic | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface MessageFilter {
  incident?: string | undefined;
  person?: string | undefined;
  state?: MessageState | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

/**
 * Tells people what they should know.
 *
 *   sources --alerts--> [incidents, by topic] --duty table--> [messages: durable] --channels--> people
 *                             ^  |                                                               |
 *                             |  +-- nobody acknowledges: the next person                        |
 *                             +----- acknowledged, in the console or by the link in a message <--+
 */
export interface NotifyService extends Service {
  settings(): Promise<NotifySettingsAnswer>;
  /** Throws GEWU_REVISION_STALE, and NotifySettingsError with the mistakes. */
  setSettings(settings: NotifySettings, change: { revision: number; by: Asker }): Promise<NotifySettingsAnswer>;
  /** Newest first. These two throw GEWU_REQUEST_INVALID for a foreign cursor. */
  incidents(filter: IncidentFilter): Promise<Page<IncidentAnswer>>;
  messages(filter: MessageFilter): Promise<Page<MessageAnswer>>;
  /** Again is fine. Throws GEWU_NOT_FOUND. */
  acknowledge(id: string, by: Asker): Promise<IncidentAnswer>;
  /** By the code of a message's link, once. Throws GEWU_NOT_FOUND for one that was used, is too old or never was. */
  acknowledgeByLink(code: string): Promise<IncidentAnswer>;
  /** A test message to one person by one channel of theirs. Throws GEWU_NOT_FOUND, GEWU_TOO_MANY_REQUESTS. */
  test(person: string, channel: string, by: Asker): Promise<MessageAnswer>;
  /** Looks at the sources, tells, escalates, sends what is due. Runs by itself; tests call it. */
  turn(): Promise<void>;
}
