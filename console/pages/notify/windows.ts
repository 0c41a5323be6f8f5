import type { TimeWindow } from '#grid/mod.ts';

/** The calendar that every installation has; others may stand beside it. */
export const HOLIDAYS = 'holidays';
export const HOURS_ALL = '00:00-24:00';
const HOURS = /^(([01][0-9]|2[0-3]):[0-5][0-9])\s*[-–—]\s*((?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/;

/** `08:00-20:00`; null where it is none. */
export function readHours(text: string): { from: string; to: string } | null {
  const m = HOURS.exec(text.trim());
  return m === null ? null : { from: m[1] as string, to: m[3] as string };
}

/** Several, between commas; null where one is none. */
export function readAllHours(text: string): { from: string; to: string }[] | null {
  const parts = text.split(/[,，;；]/).filter((part) => part.trim() !== '');
  const read = parts.flatMap((part) => readHours(part) ?? []);
  return read.length === parts.length ? read : null;
}

/** One choice for both: `+name` only on its days, `-name` on all but those, '' whatever day it is. */
export function calendarValue({ calendar, exceptCalendar }: Pick<TimeWindow, 'calendar' | 'exceptCalendar'>): string {
  return calendar !== undefined ? `+${calendar}` : exceptCalendar !== undefined ? `-${exceptCalendar}` : '';
}

/** Of what a form holds; null where its hours are none. */
export function windowOf({
  hours,
  days,
  calendar,
  dates,
}: {
  hours: string;
  days: readonly number[];
  calendar: string;
  dates?: string[];
}): TimeWindow | null {
  const read = readHours(hours);
  const name = calendar.slice(1);
  return read === null
    ? null
    : {
        ...read,
        ...(days.length === 0 ? {} : { days: [...days].sort() }),
        ...(calendar === '' ? {} : calendar.startsWith('+') ? { calendar: name } : { exceptCalendar: name }),
        ...(dates === undefined ? {} : { dates }),
      };
}

interface Names {
  day: (day: number) => string;
  everyDay: string;
}

export function windowText({ days = [], from, to }: TimeWindow, names?: Names): string {
  const hours = `${from}-${to}`;
  if (names === undefined) return hours;
  return `${days.length === 0 ? names.everyDay : days.map(names.day).join(' ')} ${hours}`;
}
