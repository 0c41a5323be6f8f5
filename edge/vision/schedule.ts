import type { TimeWindow } from '#grid/mod.ts';

/** Day of the week (1 Monday .. 7 Sunday) and minute of the day, as a clock on the wall of the site shows them. */
export interface WallTime {
  day: number;
  minute: number;
}

const DAYS: Readonly<Record<string, number>> = { Mon: 1, Tue: 2, Wed: 3, Thu: 4, Fri: 5, Sat: 6, Sun: 7 };

/** Reads the wall clock of an IANA time zone. Throws RangeError when there is no such zone. */
export function wallClock(timeZone: string): (utcMs: number) => WallTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (utcMs) => {
    const parts = new Map(format.formatToParts(utcMs).map((part) => [part.type, part.value]));
    return { day: DAYS[parts.get('weekday') ?? ''] ?? 1, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
  };
}

const minutes = (hhmm: string): number => Number(hhmm.slice(0, 2)) * 60 + Number(hhmm.slice(3));

/**
 * Whether one of the windows is open; none given means always. `from` is in the window, `to` is not. A window that ends
 * before it begins runs over midnight and belongs to the day on which it began; one with from = to is the whole day.
 */
export function inForce(schedule: readonly TimeWindow[] | undefined, at: WallTime): boolean {
  if (schedule === undefined || schedule.length === 0) return true;
  const yesterday = at.day === 1 ? 7 : at.day - 1;
  return schedule.some(({ days, from, to }) => {
    const [begin, end] = [minutes(from), minutes(to)];
    const on = (day: number): boolean => days === undefined || days.length === 0 || days.includes(day);
    if (begin < end) return on(at.day) && at.minute >= begin && at.minute < end;
    return (on(at.day) && at.minute >= begin) || (on(yesterday) && at.minute < end);
  });
}

/** Whether a point lies in a polygon (even-odd rule); fractions of the picture. */
export function inPolygon(x: number, y: number, polygon: readonly (readonly [number, number])[]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i] as readonly [number, number];
    const [xj, yj] = polygon[j] as readonly [number, number];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
