import type { TimeWindow } from '#grid/mod.ts';

/** The calendar that the forms know; others stand in the settings and stay there. */
export const HOLIDAYS = 'holidays';
const HOURS = /^(([01][0-9]|2[0-3]):[0-5][0-9])\s*[-–—]\s*((?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/;

/** `08:00-20:00`; null where it is none. */
export function readHours(text: string): { from: string; to: string } | null {
  const m = HOURS.exec(text.trim());
  return m === null ? null : { from: m[1] as string, to: m[3] as string };
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
