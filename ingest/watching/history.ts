import type { Queries } from '../database/mod.ts';
import type { Registry } from '../devices/mod.ts';
import { readMembers, subjectOf, thingsOf } from '../upkeep/mod.ts';
import type { Span } from './spans.ts';

/** What a thing was from when on, oldest first. */
export type Timeline = (readonly [at: number, state: string])[];

/** Of everything that ever reported, from `from` on, by `edge kind id`. */
export async function timelines(db: Queries, from: number): Promise<Map<string, Timeline>> {
  const all = new Map<string, Timeline>();
  const key = ({ edge, kind, id }: { edge: string; kind: string; id: string }) => `${edge} ${kind} ${id}`;
  const steady = await db
    .selectFrom('health')
    .select(['edge', 'kind', 'id', 'state'])
    .where('since', '<', from)
    .where('kind', '!=', 'edge')
    .execute();
  for (const row of steady) all.set(key(row), [[from, row.state]]);
  // Silence of an edge stands in its history only.
  const changed = await db
    .selectFrom('health as h')
    .select(({ selectFrom }) => [
      'h.edge',
      'h.kind',
      'h.id',
      selectFrom('health_history as p')
        .select('p.state')
        .whereRef('p.edge', '=', 'h.edge')
        .whereRef('p.kind', '=', 'h.kind')
        .whereRef('p.id', '=', 'h.id')
        .where('p.ts', '<', from)
        .orderBy('p.ts', 'desc')
        .limit(1)
        .as('before'),
    ])
    .where((eb) => eb.or([eb('h.since', '>=', from), eb('h.kind', '=', 'edge')]))
    .execute();
  for (const row of changed) all.set(key(row), [[from, row.before ?? 'unknown']]);
  const rows = await db
    .selectFrom('health_history')
    .select(['edge', 'kind', 'id', 'ts', 'state'])
    .where('ts', '>=', from)
    .orderBy('ts')
    .execute();
  for (const row of rows) {
    const timeline = all.get(key(row)) ?? [];
    timeline.push([Number(row.ts), row.state]);
    all.set(key(row), timeline);
  }
  return all;
}

/** When somebody worked on each thing, by `kind id`. */
export async function worked(db: Queries, registry: Registry, from: number, to: number): Promise<Map<string, Span[]>> {
  const windows = await db
    .selectFrom('maintenance_windows')
    .selectAll()
    .where('to_at', '>', from)
    .where('from_at', '<', to)
    .execute();
  const members = windows.some((w) => w.subject_of === 'group') ? await readMembers(db) : new Map();
  const spans = new Map<string, Span[]>();
  for (const window of windows)
    for (const { of, id } of thingsOf(subjectOf(window), registry, members)) {
      const known = spans.get(`${of} ${id}`) ?? [];
      known.push([Number(window.from_at), Math.min(to, Number(window.to_at))]);
      spans.set(`${of} ${id}`, known);
    }
  return spans;
}
