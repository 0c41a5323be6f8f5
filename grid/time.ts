const LOCAL_EXPRESSION = /^(\d{4})([-/])(\d{2})\2(\d{2})[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d{0,6})?)?$/;
const COMPACT_EXPRESSION = /^(\d{4})()(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/;
const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * A wall-clock time in an IANA time zone to UTC ms: `2025-01-15 08:00:00` (also with `/`, with `T`, without seconds, with a
 * fraction) or `20250115080000`. Null when it is no such time. Of an hour that the zone has twice, the first; of one that it
 * skips, the time as far after the change. Throws RangeError on an unknown zone.
 */
export function localToUtcMs(text: string, timeZone: string): number | null {
  const m = LOCAL_EXPRESSION.exec(text.trim()) ?? COMPACT_EXPRESSION.exec(text.trim());
  if (!m) return null;
  const [year = 0, , month = 0, day = 0, hour = 0, minute = 0, second = 0] = m.slice(1, 8).map((part) => Number(part ?? 0));
  const wall = Date.UTC(year, month - 1, day, hour, minute, second) + Number((m[8] ?? '').padEnd(3, '0'));
  const date = new Date(wall);
  // 31 February, 25 o'clock; `Date.UTC` takes years below 100 for those of the last century.
  const exists = year >= 100 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59) return null;
  // The offsets of a day before and after hold on the two sides of a change, if there is one.
  const [before, after] = [wall - DAY_MS, wall + DAY_MS].map((ms) => wall - offsetMs(ms, timeZone)) as [number, number];
  return before + offsetMs(before, timeZone) === wall || after + offsetMs(after, timeZone) !== wall ? before : after;
}

/** How far the zone is ahead of UTC at that moment. */
function offsetMs(utcMs: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const two = '2-digit' as const;
    const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields });
    formats.set(timeZone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(utcMs).map((p) => [p.type, Number(p.value)]));
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(utcMs / 1000) * 1000;
}
