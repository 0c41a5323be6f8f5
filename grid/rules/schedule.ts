import type { Calendars, TimeWindow, ZoneRule } from './zone.ts';

/** Date, day of the week (1 Monday .. 7 Sunday) and minute of the day, as a clock on the wall of the site shows them. */
export interface WallTime {
  /** `YYYY-MM-DD`, and the day before. */
  date: string;
  yesterday: string;
  day: number;
  minute: number;
}

const DAYS: Readonly<Record<string, number>> = { Mon: 1, Tue: 2, Wed: 3, Thu: 4, Fri: 5, Sat: 6, Sun: 7 };

/** Reads the wall clock of an IANA time zone. Throws RangeError when there is no such zone. */
export function wallClock(timeZone: string): (utcMs: number) => WallTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  // Every picture asks, and writing a date out takes longer than all the rest of its zones.
  let [known, wall]: [minute: number, wall: WallTime | null] = [Number.NaN, null];
  return (utcMs) => {
    const utcMinute = Math.floor(utcMs / MINUTE_MS);
    if (wall === null || utcMinute !== known) [known, wall] = [utcMinute, read(utcMs)];
    return wall;
  };

  function read(utcMs: number): WallTime {
    const parts = new Map(format.formatToParts(utcMs).map((part) => [part.type, part.value]));
    const date = `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
    const yesterday = new Date(Date.parse(`${date}T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
    const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
    return { date, yesterday, day: DAYS[parts.get('weekday') ?? ''] ?? 1, minute };
  }
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const minutes = (hhmm: string): number => Number(hhmm.slice(0, 2)) * 60 + Number(hhmm.slice(3));

/** Whether a rule is in force: one of its windows is open, or it has none, and nothing is permitted just now. */
export function inForce(
  { schedule = [], permitted = [] }: Pick<ZoneRule, 'schedule' | 'permitted'>,
  at: WallTime,
  calendars: Calendars = {},
): boolean {
  const open = (window: TimeWindow): boolean => isOpen(window, at, calendars);
  return !permitted.some(open) && (schedule.length === 0 || schedule.some(open));
}

/**
 * `from` is in the window, `to` is not. A window that ends before it begins runs over midnight and belongs to the day on
 * which it began; one with from = to is the whole day.
 */
export function isOpen(window: TimeWindow, { date, yesterday, day, minute }: WallTime, calendars: Calendars): boolean {
  const [begin, end] = [minutes(window.from), minutes(window.to)];
  if (begin < end) return isDayOf(window, day, date, calendars) && minute >= begin && minute < end;
  return (
    (isDayOf(window, day, date, calendars) && minute >= begin) ||
    (isDayOf(window, day === 1 ? 7 : day - 1, yesterday, calendars) && minute < end)
  );
}

function isDayOf(
  { days = [], dates, calendar, exceptCalendar }: TimeWindow,
  day: number,
  date: string,
  calendars: Calendars,
): boolean {
  const named = (name: string): boolean => calendars[name]?.includes(date) ?? false;
  return (
    (days.length === 0 || days.includes(day)) &&
    (dates === undefined || dates.includes(date)) &&
    (calendar === undefined || named(calendar)) &&
    (exceptCalendar === undefined || !named(exceptCalendar))
  );
}
