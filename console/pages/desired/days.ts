/** Days of a calendar as people type them: one a line, or a stretch of them. */

/** As many as a calendar has (grid/rules/zone.ts). */
export const DAYS_MAX = 1000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;

/** Sorted and each once; `bad` is the first that is no day or stretch. */
export function readDays(text: string): { days: string[]; bad: string | null } {
  const days = new Set<string>();
  for (const line of text.split(/[\s,;，；]+/).filter((part) => part !== '')) {
    const [first = '', last = first, ...more] = line.split('..');
    const [from, to] = [timeOf(first), timeOf(last)];
    if (from === null || to === null || to < from || more.length > 0) return { days: [], bad: line };
    for (let at = from; at <= to && days.size <= DAYS_MAX; at += DAY_MS) days.add(new Date(at).toISOString().slice(0, 10));
    if (days.size > DAYS_MAX) return { days: [], bad: line };
  }
  return { days: [...days].sort(), bad: null };
}

function timeOf(day: string): number | null {
  const at = DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(day) ? null : at;
}
