type Corner = [number, number];
/** What of the unit grids is looked at. */
interface Grids {
  features: readonly { geometry: { coordinates: Corner[][] } }[];
}

/**
 * The borders of the unit grids, each once: neighbours share theirs, and a line that is drawn twice is paid for twice. Those that meet end to
 * end are strung together.
 */
export function bordersOf(cells: Grids): { type: 'MultiLineString'; coordinates: Corner[][] } {
  const corners = new Map<string, Corner>();
  /** Of each corner, the corners to which a border leads that is not drawn yet. */
  const open = new Map<string, Set<string>>();
  const nameOf = (corner: Corner) => {
    const name = corner.join();
    corners.set(name, corner);
    return name;
  };
  const join = (from: string, to: string) => {
    const ends = open.get(from) ?? new Set();
    ends.add(to);
    open.set(from, ends);
  };
  for (const { geometry } of cells.features)
    for (const ring of geometry.coordinates)
      for (const [i, corner] of ring.entries()) {
        const next = ring[i + 1];
        if (next === undefined) continue;
        const [a, b] = [nameOf(corner), nameOf(next)];
        if (a === b) continue;
        join(a, b);
        join(b, a);
      }
  const coordinates: Corner[][] = [];
  for (const start of open.keys())
    for (let line = walk(start, open, corners); line.length > 1; line = walk(start, open, corners)) coordinates.push(line);
  return { type: 'MultiLineString', coordinates };
}

/** From a corner as far as borders lead that are not drawn yet, as straight as they go; takes them. */
function walk(start: string, open: Map<string, Set<string>>, corners: ReadonlyMap<string, Corner>): Corner[] {
  const at = (name: string) => corners.get(name) as Corner;
  const line = [at(start)];
  let before: Corner | null = null;
  for (let here = start; ; ) {
    const [x, y] = at(here);
    let next: string | null = null;
    let straightest = Number.NEGATIVE_INFINITY;
    for (const name of open.get(here) ?? []) {
      const [toX, toY] = at(name);
      const along = before === null ? 0 : cosine([x - before[0], y - before[1]], [toX - x, toY - y]);
      if (along <= straightest) continue;
      next = name;
      straightest = along;
    }
    if (next === null) return line;
    open.get(here)?.delete(next);
    open.get(next)?.delete(here);
    before = [x, y];
    line.push(at(next));
    here = next;
  }
}

const cosine = ([ax, ay]: Corner, [bx, by]: Corner) => (ax * bx + ay * by) / (Math.hypot(ax, ay) * Math.hypot(bx, by));
