import type { Scenario } from '../scenarios/mod.ts';
import type { Usage } from '../target/mod.ts';
import type { Content } from './content.ts';
import type { EventCounts } from './events.ts';
import { Histogram, type HistogramCounts } from './histogram.ts';

/** One second of a run. */
export interface Second {
  /** From the start of the load. */
  atS: number;
  /** Samples that fell due, and that were acknowledged. */
  due: number;
  acked: number;
  /** Of those acknowledged in it, from the moment at which they were due. */
  p99Ms: number;
  /** At its end. */
  pending: number;
  connected: number;
  /** The generator's own. */
  lagMsMax: number;
}

/** A device of which something is lost, stored twice, altered or not what it sent. Numbers as people write them: 5-7, 9. */
export interface DeviceTrouble {
  device: string;
  edge: string;
  sent: number;
  acked: number;
  stored: number;
  lost: number;
  duplicated: number;
  unexpected: number;
  /** Of its readings whose values are known. */
  altered: number;
  which: string[];
}

export interface IncidentOutcome {
  id: string;
  source: 'sensor' | 'camera';
  class: string;
  /**
   * `possible`: said, but not long enough to demand a case. `repeat`: of a case that was open before the run, rightly no new one.
   * `faulty device`: a case that says of a device which was made to be wrong what is wrong with it.
   */
  outcome: 'detected' | 'missed' | 'possible' | 'repeat' | 'faulty device' | 'false alarm';
  /** From the moment at which its confirm time was complete until its case was readable. */
  delayMs: number | null;
}

/** What a run, or several generators of one run together, came to: everything that a verdict follows from. */
export interface RunReport {
  version: 1;
  scenario: string;
  title: { zh: string; en: string };
  as: Scenario['as'];
  seed: number;
  /** Address of the centre. */
  target: string;
  /** `1/2`: which generators are in it. */
  parts: string[];
  /** UTC ms. */
  startedAt: number;
  endedAt: number;
  durationS: number;
  interrupted: boolean;
  /** `cameras` of this city that it played. */
  city: { cells: number; edges: number; devices: number; cameras: number };
  readings: {
    /** Samples whose time came; of them acknowledged, and stored by what the centre's API returns. */
    sent: number;
    acked: number;
    stored: number;
    /** Acknowledged and not stored. */
    lost: number;
    duplicated: number;
    /** Stored and never sent. */
    unexpected: number;
    late: number;
    /** Never left the device: its memory was full. */
    dropped: number;
    /** Sent, and no acknowledgement came until the end: stored or not, both is right. */
    inDoubt: number;
  };
  events: EventCounts;
  /** Readings whose values and times were compared one by one. */
  content: Content;
  connections: { clients: number; connects: number; refused: number; resent: number };
  /** Ms. `lag` is the generator's own: how late it was with each sample. Cases of what devices said, and of what cameras showed. */
  latencies: { ack: HistogramCounts; lag: HistogramCounts; case: HistogramCounts; cameraCase: HistogramCounts };
  curve: Second[];
  /** The worst devices, and how many more there are. */
  trouble: DeviceTrouble[];
  moreTrouble: number;
  incidents: IncidentOutcome[];
  deadLetters: { hop: string; code: string; count: number }[];
  /** By process: `centre`, and the edges that it spoke to. */
  usage: Readonly<Record<string, readonly Usage[]>>;
  limits: Pick<Scenario, 'lateMs' | 'lagP99MsMax' | 'thresholds'>;
}

/** A limit, and what was measured; null where nothing was, which holds for nothing. */
export interface Check {
  name: string;
  limit: number;
  measured: number | null;
  holds: boolean;
}

export interface IncidentCounts {
  staged: number;
  detected: number;
  missed: number;
  falseAlarms: number;
}

export interface Verdict {
  /** A run in which the generator itself was slow says nothing of the target. */
  valid: boolean;
  passed: boolean;
  checks: Check[];
  /** What devices said, and what cameras showed. */
  incidents: IncidentCounts;
  cameraIncidents: IncidentCounts;
}

/** Of what devices sent, where a scenario does not say it: an edge of some that is dead is no passing run. */
const ACKED_SHARE_MIN = 0.99;

/** Pass or fail, from the report alone. */
export function judgeRun(report: RunReport): Verdict {
  const { readings, content, events, latencies, limits, city } = report;
  const { thresholds } = limits;
  const incidents = countIncidents(report.incidents, 'sensor');
  const cameraIncidents = countIncidents(report.incidents, 'camera');
  const percentile = (counts: HistogramCounts, share: number) => Histogram.of(counts).percentile(share);
  const checks: Check[] = [];
  const most = (name: string, limit: number | undefined, measured: number | null) => {
    if (limit !== undefined) checks.push({ name, limit, measured, holds: measured !== null && measured <= limit });
  };
  const least = (name: string, limit: number | undefined, measured: number | null) => {
    if (limit !== undefined) checks.push({ name, limit, measured, holds: measured !== null && measured >= limit });
  };
  most('lost', thresholds.lostMax, readings.lost);
  most('duplicated', thresholds.duplicatedMax, readings.duplicated);
  most('unexpected', thresholds.unexpectedMax, readings.unexpected);
  // A value that is another than was sent is never right, whatever a scenario says.
  most('altered', thresholds.alteredMax ?? 0, content.compared === 0 ? null : content.altered);
  most('lateShare', thresholds.lateShareMax, readings.acked === 0 ? null : readings.late / readings.acked);
  most('eventsLost', thresholds.eventsLostMax, events.lost);
  most('eventsDuplicated', thresholds.eventsDuplicatedMax, events.duplicated);
  most('eventsUnexpected', thresholds.eventsUnexpectedMax, events.unexpected);
  most('eventsLate', thresholds.eventsLateMax, events.late);
  most('ackP99Ms', thresholds.ackP99MsMax, percentile(latencies.ack, 0.99));
  most('falseAlarms', thresholds.falseAlarmsMax, incidents.falseAlarms);
  // What goes wrong is staged once over all parts: one in which nothing fell due says nothing of it.
  if (incidents.staged > 0 || isWhole(report.parts)) {
    most('caseP95Ms', thresholds.caseP95MsMax, percentile(latencies.case, 0.95));
    least('detectedShare', thresholds.detectedShareMin, shareOf(incidents));
  }
  // A run, or a part of one, that plays no cameras says nothing of them.
  if (city.cameras > 0) {
    most('cameraCaseP95Ms', thresholds.cameraCaseP95MsMax, percentile(latencies.cameraCase, 0.95));
    most('cameraFalseAlarms', thresholds.cameraFalseAlarmsMax, cameraIncidents.falseAlarms);
    least('cameraDetectedShare', thresholds.cameraDetectedShareMin, shareOf(cameraIncidents));
  }
  // Whoever is not acknowledged is not served, whatever was said to the others; and nothing sent is nothing shown.
  least('ackedShare', thresholds.ackedShareMin ?? ACKED_SHARE_MIN, readings.sent === 0 ? null : readings.acked / readings.sent);
  const lag = percentile(latencies.lag, 0.99);
  most('generatorLagP99Ms', limits.lagP99MsMax, lag);
  const valid = lag !== null && lag <= limits.lagP99MsMax;
  return { valid, passed: checks.every((c) => c.holds), checks, incidents, cameraIncidents };
}

/** Whether they are all parts of a run, `1/2` and `2/2`. */
export function isWhole(parts: readonly string[]): boolean {
  const of = Number(parts[0]?.split('/')[1]);
  const all = Array.from({ length: of }, (_, n) => `${n + 1}/${of}`);
  return parts.length === of && all.every((part) => parts.includes(part));
}

function shareOf({ staged, detected }: IncidentCounts): number | null {
  return staged === 0 ? null : detected / staged;
}

function countIncidents(incidents: readonly IncidentOutcome[], source: IncidentOutcome['source']): IncidentCounts {
  const of = (outcome: IncidentOutcome['outcome']) =>
    incidents.filter((i) => i.source === source && i.outcome === outcome).length;
  const [detected, missed] = [of('detected'), of('missed')];
  return { staged: detected + missed, detected, missed, falseAlarms: of('false alarm') };
}
