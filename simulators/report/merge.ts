import { addUpContent } from './content.ts';
import { addUpEvents } from './events.ts';
import { Histogram, type HistogramCounts } from './histogram.ts';
import { isWhole, type RunReport, type Second } from './outcome.ts';

/** What is the same in all parts of a run. */
const SAME = ['scenario', 'as', 'seed', 'durationS', 'target', 'limits'] as const satisfies readonly (keyof RunReport)[];

/**
 * Adds up what several generators of one run have measured: counts and histograms exactly, seconds by their number. Throws
 * RangeError on reports of different runs, and where a part is missing.
 */
export function mergeReports(reports: readonly RunReport[]): RunReport {
  const [first] = reports;
  if (first === undefined) throw new RangeError('there is nothing to merge');
  const parts = reports.flatMap((r) => r.parts);
  checkOneRun(reports, parts);
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
    events: addUpEvents(reports.map((r) => r.events)),
    content: addUpContent(reports.map((r) => r.content)),
    connections: sums((r) => r.connections),
    latencies: {
      ack: add((r) => r.latencies.ack),
      lag: add((r) => r.latencies.lag),
      case: add((r) => r.latencies.case),
      cameraCase: add((r) => r.latencies.cameraCase),
    },
    curve: mergeCurves(reports.map((r) => r.curve)),
    trouble: reports.flatMap((r) => r.trouble),
    moreTrouble: sum((r) => r.moreTrouble),
    incidents: reports.flatMap((r) => r.incidents),
    // Each has those of the edges that it played.
    deadLetters: addUpLetters(reports.map((r) => r.deadLetters)),
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

function checkOneRun(reports: readonly RunReport[], parts: readonly string[]): void {
  const [first, ...others] = reports as [RunReport, ...RunReport[]];
  for (const other of others) {
    const differs = SAME.filter((name) => JSON.stringify(first[name]) !== JSON.stringify(other[name]));
    const of = (report: RunReport) => differs.map((name) => `${name} ${JSON.stringify(report[name])}`).join(', ');
    if (differs.length > 0)
      throw new RangeError(`part ${other.parts.join(', ')} is of another run: ${of(other)}, not ${of(first)}`);
    if (other.startedAt > first.endedAt || other.endedAt < first.startedAt)
      throw new RangeError(`part ${other.parts.join(', ')} did not run at the same time as part ${first.parts.join(', ')}`);
  }
  if (new Set(parts).size !== parts.length) throw new RangeError(`part ${parts.join(', ')}: one stands here twice`);
  if (!isWhole(parts)) throw new RangeError(`part ${parts.join(', ')}: those are not all parts of the run`);
}

/** By hop and code. */
export function addUpLetters(parts: readonly RunReport['deadLetters'][]): RunReport['deadLetters'] {
  const sums = new Map<string, RunReport['deadLetters'][number]>();
  for (const { hop, code, count } of parts.flat()) {
    const key = `${hop} ${code}`;
    sums.set(key, { hop, code, count: count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()];
}
