import type { Queries } from '../database/mod.ts';

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
