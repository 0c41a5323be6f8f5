/** A time from the first to before the second, UTC ms. */
export type Span = readonly [from: number, to: number];

/** Sorted, and none touches another. */
export function union(spans: readonly Span[]): Span[] {
  const merged: [number, number][] = [];
  for (const [from, to] of spans.filter(([a, b]) => b > a).sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** What of `spans` lies in none of `holes`; both as `union` gives them. */
export function without(spans: readonly Span[], holes: readonly Span[]): Span[] {
  if (holes.length === 0) return [...spans];
  return spans.flatMap(([from, to]) => {
    const left: Span[] = [];
    let at = from;
    for (const [a, b] of holes) {
      if (b <= at || a >= to) continue;
      if (a > at) left.push([at, a]);
      at = b;
    }
    return at < to ? [...left, [at, to] as Span] : left;
  });
}

/** Whole percent of each of `count` equal parts from `from` on that `spans` cover; they are as `union` gives them. */
export function shares(spans: readonly Span[], from: number, partMs: number, count: number): number[] {
  const covered = new Array<number>(count).fill(0);
  for (const [a, b] of spans)
    for (let n = Math.max(0, Math.floor((a - from) / partMs)); n < count && from + n * partMs < b; n++) {
      const start = from + n * partMs;
      covered[n] = (covered[n] ?? 0) + Math.min(b, start + partMs) - Math.max(a, start);
    }
  return covered.map((ms) => Math.round((100 * ms) / partMs));
}
