/** Live views that one page shows at a time: each takes a socket, and the browser's CPU. */
export const VIEWS_MAX = 12;
/** Of one edge: as many streams as an edge sends unless its file says otherwise (`live.streamsMax`). */
export const VIEWS_PER_EDGE_MAX = 4;

export interface Wanting {
  id: string;
  edge: string;
}

/** Which cameras that are in sight are shown live: those that were asked for first, then in their order, within both limits. */
export function seated(inSight: readonly Wanting[], preferred: readonly string[]): Set<string> {
  const first = preferred.flatMap((id) => inSight.find((c) => c.id === id) ?? []);
  const seats = new Set<string>();
  const byEdge = new Map<string, number>();
  for (const { id, edge } of [...first, ...inSight]) {
    const taken = byEdge.get(edge) ?? 0;
    if (seats.size >= VIEWS_MAX || taken >= VIEWS_PER_EDGE_MAX || seats.has(id)) continue;
    seats.add(id);
    byEdge.set(edge, taken + 1);
  }
  return seats;
}
