import type { DesiredDiffAnswer } from '#grid/api/mod.ts';

type DiffEntry = DesiredDiffAnswer['entries'][number];

const ENTRIES_MAX = 1000;

/** What changed, leaf by leaf; in lists of things with an id, each is compared with its namesake. */
export function diffOf(from: unknown, to: unknown): DesiredDiffAnswer {
  const entries: DiffEntry[] = [];
  compare('', from, to, entries);
  return { entries: entries.slice(0, ENTRIES_MAX), truncated: entries.length > ENTRIES_MAX };
}

function compare(key: string, from: unknown, to: unknown, entries: DiffEntry[]): void {
  if (entries.length > ENTRIES_MAX) return;
  const [before, after] = [partsOf(from), partsOf(to)];
  if (before === null || after === null) {
    if (JSON.stringify(from) !== JSON.stringify(to))
      entries.push({ key, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
    return;
  }
  for (const name of new Set([...before.keys(), ...after.keys()]))
    compare(key === '' ? name : `${key}.${name}`, before.get(name), after.get(name), entries);
}

/** By name, or null for what is compared whole. */
function partsOf(value: unknown): ReadonlyMap<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const ids = value.map((item: { id?: unknown } | null) => item?.id);
  const named = ids.every((id): id is string => typeof id === 'string') && new Set(ids).size === ids.length;
  return named ? new Map(value.map((item: { id: string }) => [item.id, item])) : null;
}
