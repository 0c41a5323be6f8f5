import type { Usage } from '../target/mod.ts';
import { Histogram, type HistogramCounts } from './histogram.ts';
import { judgeRun, type RunReport } from './outcome.ts';
import { cpuSecondsOf, mostOf } from './used.ts';

export interface Difference {
  name: string;
  before: number | null;
  after: number | null;
  /** Of `before`; null where that says nothing. */
  change: number | null;
  worse: boolean;
}

export interface CompareResult {
  differences: Difference[];
  /** What else is not the same in both, and may be why: the target, the seed, the limits. */
  notes: string[];
}

/** Two runs differ by chance by so much of a latency or of the target's use. */
const NOISE = 0.15;
/** And ms below which nobody looks. */
const NOISE_MS = 5;
/** Of these less is worse; of all others more. */
const LESS_IS_WORSE: ReadonlySet<string> = new Set(['passed', 'valid', 'ackedShare']);
/** Runs that differ in these say nothing of each other. */
const SAME = ['scenario', 'as', 'durationS', 'city'] as const satisfies readonly (keyof RunReport)[];
const NOTED = ['target', 'seed', 'limits', 'interrupted'] as const satisfies readonly (keyof RunReport)[];

/**
 * What a second run does worse, or better, than a first one. What was measured and could not be measured again is worse. Throws
 * RangeError on runs of another scenario, size or length.
 */
export function compareReports(before: RunReport, after: RunReport): CompareResult {
  const differing = <N extends keyof RunReport>(names: readonly N[]) =>
    names
      .map((name) => [name, JSON.stringify(before[name]), JSON.stringify(after[name])])
      .filter(([, a, b]) => a !== b)
      .map(([name, a, b]) => `${name} ${a}, then ${b}`);
  const other = differing(SAME);
  if (other.length > 0) throw new RangeError(`these runs cannot be compared: ${other.join('; ')}`);
  const [a, b] = [measure(before), measure(after)];
  const differences = (Object.keys(a) as (keyof typeof a)[]).map((name): Difference => {
    const [from, to] = [a[name], b[name]];
    const change = from === null || to === null || from === 0 ? null : to / from - 1;
    return { name, before: from, after: to, change, worse: isWorse(name, from, to) };
  });
  return { differences, notes: differing(NOTED) };
}

function measure(report: RunReport) {
  const { readings, events, content, latencies, connections, usage, deadLetters } = report;
  const { passed, valid, incidents, cameraIncidents } = judgeRun(report);
  const { centre = [], ...edges } = usage;
  const ofEdges = Object.values(edges).filter((points) => points.length >= 2);
  return {
    passed: Number(passed),
    valid: Number(valid),
    ackedShare: per(readings.acked, readings.sent),
    lost: readings.lost,
    duplicated: readings.duplicated,
    unexpected: readings.unexpected,
    altered: content.compared === 0 ? null : content.altered,
    dropped: readings.dropped,
    inDoubt: readings.inDoubt,
    lateShare: per(readings.late, readings.acked),
    eventsLost: events.lost,
    eventsDuplicated: events.duplicated,
    eventsUnexpected: events.unexpected,
    eventsLate: events.late,
    deadLetters: deadLetters.reduce((sum, d) => sum + d.count, 0),
    ...latenciesOf(latencies),
    missedShare: per(incidents.missed, incidents.staged),
    falseAlarms: incidents.falseAlarms,
    cameraMissedShare: per(cameraIncidents.missed, cameraIncidents.staged),
    cameraFalseAlarms: cameraIncidents.falseAlarms,
    refused: connections.refused,
    centreCpuUsPerReading: cpuUsPerReading([centre], readings.stored),
    centreResidentMb: mostOf(centre, 'residentMb'),
    edgesCpuUsPerReading: cpuUsPerReading(ofEdges, readings.stored),
    edgeResidentMb: ofEdges.reduce<number | null>((most, points) => larger(most, mostOf(points, 'residentMb')), null),
  };
}

function latenciesOf({ ack, case: ofCase, cameraCase }: RunReport['latencies']) {
  const percentile = (counts: HistogramCounts, share: number) => Histogram.of(counts).percentile(share);
  return {
    ackP50Ms: percentile(ack, 0.5),
    ackP99Ms: percentile(ack, 0.99),
    caseP50Ms: percentile(ofCase, 0.5),
    caseP95Ms: percentile(ofCase, 0.95),
    cameraCaseP95Ms: percentile(cameraCase, 0.95),
  };
}

function per(n: number, of: number): number | null {
  return of === 0 ? null : n / of;
}

function larger(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** Null where one of them does not say it. */
function cpuUsPerReading(processes: readonly (readonly Usage[])[], readings: number): number | null {
  const seconds = processes.map(cpuSecondsOf);
  if (seconds.length === 0 || seconds.includes(null)) return null;
  return per(seconds.reduce<number>((sum, s) => sum + (s ?? 0), 0) * 1e6, readings);
}

/** Counts and verdicts have no noise; the rest has. */
function isWorse(name: string, from: number | null, to: number | null): boolean {
  if (from === null) return false;
  if (to === null) return true;
  if (LESS_IS_WORSE.has(name)) return to < from;
  if (to <= from) return false;
  const counted = !/Ms$|Mb$|Us/.test(name);
  return counted || (to > from * (1 + NOISE) && to - from > (name.endsWith('Ms') ? NOISE_MS : 0));
}
