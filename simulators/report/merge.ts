import { Histogram, type HistogramCounts } from './histogram.ts';
import type { RunReport, Second } from './outcome.ts';

/**
 * Adds up what several generators of one run have measured: counts and histograms exactly, seconds by their number. Throws
 * RangeError on reports of different runs.
 */
export function mergeReports(reports: readonly RunReport[]): RunReport {
  const [first, ...others] = reports;
  if (first === undefined) throw new RangeError('there is nothing to merge');
  const parts = reports.flatMap((r) => r.parts);
  if (new Set(parts).size !== parts.length) throw new RangeError(`part ${parts.join(', ')}: one stands here twice`);
  for (const other of others)
    if (other.scenario !== first.scenario || other.seed !== first.seed || other.durationS !== first.durationS)
      throw new RangeError(`${other.scenario}, seed ${other.seed}, ${other.durationS} s is another run`);
  const sum = (of: (r: RunReport) => number) => reports.reduce((total, r) => total + of(r), 0);
  const sums = <T extends Record<string, number>>(of: (r: RunReport) => T): T => {
    const names = Object.keys(of(first)) as (keyof T)[];
    return Object.fromEntries(names.map((name) => [name, sum((r) => of(r)[name] as number)])) as T;
  };
  const add = (of: (r: RunReport) => HistogramCounts) => {
    const all = new Histogram();
    for (const r of reports) all.add(of(r));
    return all.counts;
  };
  return {
    ...first,
    parts,
    startedAt: Math.min(...reports.map((r) => r.startedAt)),
    endedAt: Math.max(...reports.map((r) => r.endedAt)),
    interrupted: reports.some((r) => r.interrupted),
    city: sums((r) => r.city),
    readings: sums((r) => r.readings),
    events: sums((r) => r.events),
    connections: sums((r) => r.connections),
    latencies: {
      ack: add((r) => r.latencies.ack),
      lag: add((r) => r.latencies.lag),
      case: add((r) => r.latencies.case),
      cameraCase: add((r) => r.latencies.cameraCase),
    },
    curve: mergeCurves(reports.map((r) => r.curve)),
    trouble: reports.flatMap((r) => r.trouble),
    incidents: reports.flatMap((r) => r.incidents),
    // All of them asked the same target.
    deadLetters: first.deadLetters,
    // Each watched the edges that it spoke to.
    usage: Object.assign({}, ...reports.map((r) => r.usage)),
  };
}

function mergeCurves(curves: readonly (readonly Second[])[]): Second[] {
  const bySecond = Map.groupBy(curves.flat(), (s) => s.atS);
  return [...bySecond]
    .sort((a, b) => a[0] - b[0])
    .map(([atS, seconds]) => {
      const sum = (of: (s: Second) => number) => seconds.reduce((total, s) => total + of(s), 0);
      return {
        atS,
        due: sum((s) => s.due),
        acked: sum((s) => s.acked),
        // The worst of them: percentiles do not add up.
        p99Ms: Math.max(...seconds.map((s) => s.p99Ms)),
        pending: sum((s) => s.pending),
        connected: sum((s) => s.connected),
        lagMsMax: Math.max(...seconds.map((s) => s.lagMsMax)),
      };
    });
}
