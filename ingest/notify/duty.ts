import { type AlertTopic, type NotifyPerson, type NotifySettings, URGENT_TOPICS } from '#grid/api/mod.ts';
import { inForce, wallClock } from '#grid/mod.ts';
import { type ConfigMistake, GewuError } from '#service/mod.ts';

const MINUTE_MS = 60_000;
/** Quiet windows of every day together are no quiet hours: a message waits no longer than this. */
const QUIET_MS_MAX = 48 * 3_600_000;

export const isUrgent = (topic: AlertTopic): boolean => URGENT_TOPICS.includes(topic);

/**
 * Who is told of a topic at a moment, in order: the people of every shift that is on, each once; the fallback where none is. Null as the
 * topic: of any.
 */
export function onDuty(settings: NotifySettings, topic: AlertTopic | null, at: number): NotifyPerson[] {
  const wall = wallClock(settings.timeZone)(at);
  const shifts = settings.shifts.filter(
    ({ when, topics }) =>
      (topic === null || topics === undefined || topics.length === 0 || topics.includes(topic)) &&
      inForce({ schedule: when }, wall, settings.calendars),
  );
  return peopleOf(settings, shifts.length > 0 ? shifts.flatMap((s) => s.people) : settings.fallback);
}

/** Who is told of a topic one after the other while nobody acknowledges: those on duty, then the fallback. */
export function inTurn(settings: NotifySettings, topic: AlertTopic, at: number): NotifyPerson[] {
  return peopleOf(settings, [...onDuty(settings, topic, at).map((p) => p.id), ...settings.fallback]);
}

const peopleOf = ({ people }: NotifySettings, ids: readonly string[]): NotifyPerson[] =>
  [...new Set(ids)].flatMap((id) => people.find((p) => p.id === id) ?? []);

/** When a message that may wait can be sent: now, or at the end of the quiet hours. */
export function quietUntil(settings: NotifySettings, { quiet = [] }: NotifyPerson, at: number): number {
  if (quiet.length === 0) return at;
  const wall = wallClock(settings.timeZone);
  const isQuiet = (ms: number) => inForce({ schedule: quiet }, wall(ms), settings.calendars);
  if (!isQuiet(at)) return at;
  for (let ms = Math.ceil(at / MINUTE_MS) * MINUTE_MS; ms < at + QUIET_MS_MAX; ms += MINUTE_MS) if (!isQuiet(ms)) return ms;
  return at + QUIET_MS_MAX;
}

/** Settings that cannot be used, mistake by mistake. */
export class NotifySettingsError extends GewuError {
  readonly mistakes: readonly ConfigMistake[];

  constructor(mistakes: readonly ConfigMistake[]) {
    super('GEWU_NOTIFY_INVALID', mistakes.map(({ key, message }) => `${key}: ${message}`).join('; '));
    this.mistakes = mistakes;
  }
}

/** What the schema cannot say: names that nobody has, zones that are none. */
export function settingsMistakes(settings: NotifySettings, channels: ReadonlyMap<string, { kind: string }>): ConfigMistake[] {
  const { timeZone, calendars, people, shifts, fallback } = settings;
  const known = new Set(people.map((p) => p.id));
  const mistakes: ConfigMistake[] = [];
  const say = (key: string, value: unknown, message: string) => mistakes.push({ key, value, message });
  const windows = (key: string, list: NotifySettings['shifts'][number]['when']) => {
    for (const [i, { calendar, exceptCalendar }] of list.entries())
      for (const name of [calendar, exceptCalendar])
        if (name !== undefined && !Object.hasOwn(calendars, name)) say(`${key}.${i}`, name, 'there is no such calendar');
  };
  const named = (key: string, ids: readonly string[]) => {
    for (const [i, id] of ids.entries()) if (!known.has(id)) say(`${key}.${i}`, id, 'there is no such person');
  };
  if (!isTimeZone(timeZone)) say('timeZone', timeZone, 'not an IANA time zone');
  for (const [i, person] of people.entries()) {
    if (people.findIndex((p) => p.id === person.id) !== i) say(`people.${i}.id`, person.id, 'stands here twice');
    for (const [j, { channel, address }] of person.to.entries()) {
      const { kind } = channels.get(channel) ?? {};
      if (kind === undefined) say(`people.${i}.to.${j}.channel`, channel, 'the configuration has no such channel');
      else if (kind === 'smtp' && !/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/.test(address))
        say(`people.${i}.to.${j}.address`, address, 'an e-mail address is wanted');
      else if (kind !== 'smtp' && !/^(\+?[0-9]{5,20})?$/.test(address))
        say(`people.${i}.to.${j}.address`, address, 'a mobile number, or nothing, is wanted');
    }
    windows(`people.${i}.quiet`, person.quiet ?? []);
  }
  for (const [i, shift] of shifts.entries()) {
    if (shifts.findIndex((s) => s.id === shift.id) !== i) say(`shifts.${i}.id`, shift.id, 'stands here twice');
    named(`shifts.${i}.people`, shift.people);
    windows(`shifts.${i}.when`, shift.when);
  }
  named('fallback', fallback);
  return mistakes;
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
