import type { Usage } from '../target/mod.ts';
import { Histogram, type HistogramCounts } from './histogram.ts';
import { judgeRun, type RunReport } from './outcome.ts';

export interface Difference {
  name: string;
  before: number | null;
  after: number | null;
  /** Of `before`; null where that says nothing. */
  change: number | null;
  worse: boolean;
}

/** Two runs differ by chance by so much of a latency or of the target's use. */
const NOISE = 0.15;
/** And ms below which nobody looks. */
const NOISE_MS = 5;

/** What a second run does worse, or better, than a first one. */
export function compareReports(before: RunReport, after: RunReport): Difference[] {
  const measure = (report: RunReport) => {
    const percentile = (counts: HistogramCounts, share: number) => Histogram.of(counts).percentile(share);
    const { readings, latencies, connections, usage } = report;
    const { incidents, cameraIncidents } = judgeRun(report);
    const { centre = [], ...edges } = usage;
    const ofEdges = Object.values(edges).filter((points) => points.length >= 2);
    const per = (n: number, of: number) => (of === 0 ? null : n / of);
    return {
      lost: readings.lost,
      duplicated: readings.duplicated,
      unexpected: readings.unexpected,
      dropped: readings.dropped,
      lateShare: per(readings.late, readings.acked),
      ackP50Ms: percentile(latencies.ack, 0.5),
      ackP99Ms: percentile(latencies.ack, 0.99),
      caseP50Ms: percentile(latencies.case, 0.5),
      caseP95Ms: percentile(latencies.case, 0.95),
      missedShare: per(incidents.missed, incidents.staged),
      falseAlarms: incidents.falseAlarms,
      cameraCaseP95Ms: percentile(latencies.cameraCase, 0.95),
      cameraMissedShare: per(cameraIncidents.missed, cameraIncidents.staged),
      cameraFalseAlarms: cameraIncidents.falseAlarms,
      refused: connections.refused,
      centreCpuUsPerReading: centre.length < 2 ? null : per(cpuS(centre) * 1e6, readings.stored),
      centreResidentMb: centre.length === 0 ? null : residentMb(centre),
      edgesCpuUsPerReading:
        ofEdges.length === 0 ? null : per(ofEdges.reduce((sum, e) => sum + cpuS(e), 0) * 1e6, readings.stored),
      edgeResidentMb: ofEdges.length === 0 ? null : Math.max(...ofEdges.map(residentMb)),
    };
  };
  const [a, b] = [measure(before), measure(after)];
  return (Object.keys(a) as (keyof typeof a)[]).map((name) => {
    const [from, to] = [a[name], b[name]];
    const change = from === null || to === null || from === 0 ? null : to / from - 1;
    return { name, before: from, after: to, change, worse: isWorse(name, from, to) };
  });
}

function cpuS(points: readonly Usage[]): number {
  return (points.at(-1)?.cpuS ?? 0) - (points[0]?.cpuS ?? 0);
}

function residentMb(points: readonly Usage[]): number {
  return Math.max(...points.map((u) => u.residentMb));
}

/** Of all of them, more is worse. Counts have no noise; the rest has. */
function isWorse(name: string, from: number | null, to: number | null): boolean {
  if (from === null || to === null || to <= from) return false;
  const counted = !/Ms$|Mb$|Us/.test(name);
  return counted || (to > from * (1 + NOISE) && to - from > (name.endsWith('Ms') ? NOISE_MS : 0));
}
