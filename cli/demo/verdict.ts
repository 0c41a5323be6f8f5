import type { Case } from '#grid/mod.ts';
import { matchBySource, type StagedTruth, summarizeLatency } from '#simulators/mod.ts';
import type { CameraSums } from './status.ts';

/** The one line that an unattended demo ends with. */
export interface Verdict {
  readings: { sent: number; stored: number };
  incidents: Record<'sensors' | 'cameras', IncidentCounts>;
  cases: { opened: number; fromCameras: number; fromCamerasWithEvidence: number };
  latencyMs: Record<'sensors' | 'cameras', { p50: number | null; max: number | null }>;
  cameras: { online: number; analysedFps: number; droppedFrames: number };
}

export interface IncidentCounts {
  staged: number;
  detected: number;
  missed: number;
  falseAlarms: number;
}

export interface Observed {
  sent: number;
  stored: number;
  truth: readonly StagedTruth[];
  cases: readonly Case[];
  /** UTC ms, by case id. */
  readableAt: ReadonlyMap<string, number>;
  /** Cases whose evidence could be fetched with the right hash. */
  withEvidence: ReadonlySet<string>;
  cameras: CameraSums;
}

/** What was staged against the cases, incident by incident. */
export function compare({ truth, cases, readableAt }: Observed) {
  // A case that no poll ever saw counts as readable now: its latency is what it is.
  const now = Date.now();
  return matchBySource(
    truth,
    cases.map((c) => ({ case: c, readableAt: readableAt.get(c.id) ?? now })),
  );
}

export function judge(seen: Observed): Verdict {
  const { sensor, camera } = compare(seen);
  const fromCameras = seen.cases.filter((c) => c.source === 'camera');
  const counts = ({ staged, detected, missed, falseAlarms }: IncidentCounts) => ({ staged, detected, missed, falseAlarms });
  const latency = ({ pairs }: { pairs: readonly { latencyMs: number }[] }) => {
    const { p50, max } = summarizeLatency(pairs.map((p) => p.latencyMs));
    return { p50, max };
  };
  return {
    readings: { sent: seen.sent, stored: seen.stored },
    incidents: { sensors: counts(sensor), cameras: counts(camera) },
    cases: {
      opened: seen.cases.length,
      fromCameras: fromCameras.length,
      fromCamerasWithEvidence: fromCameras.filter((c) => seen.withEvidence.has(c.id)).length,
    },
    latencyMs: { sensors: latency(sensor), cameras: latency(camera) },
    cameras: seen.cameras,
  };
}

const DETECTED_SHARE_MIN = 0.9;
const FALSE_ALARMS_MAX = 1;
const SENSOR_LATENCY_MS_MAX = 1500;
const CAMERA_INCIDENTS_MIN = 10;

/** What does not hold, in words; empty when the demo passed. `full` runs stage enough to ask for a number of incidents. */
export function shortfalls(v: Verdict, { full }: { full: boolean }): string[] {
  const found: string[] = [];
  if (v.readings.sent === 0) found.push('no reading was sent');
  if (v.readings.stored !== v.readings.sent) found.push(`${v.readings.sent} readings were sent, ${v.readings.stored} are stored`);
  for (const [name, i] of Object.entries(v.incidents)) {
    if (i.detected < DETECTED_SHARE_MIN * i.staged) found.push(`${name}: ${i.detected} of ${i.staged} incidents were detected`);
    if (full && i.staged === 0) found.push(`${name}: nothing was staged`);
  }
  const falseAlarms = v.incidents.sensors.falseAlarms + v.incidents.cameras.falseAlarms;
  if (falseAlarms > FALSE_ALARMS_MAX) found.push(`${falseAlarms} false alarms`);
  if (full && v.incidents.cameras.staged < CAMERA_INCIDENTS_MIN)
    found.push(`only ${v.incidents.cameras.staged} camera incidents were staged`);
  if (v.cases.fromCamerasWithEvidence < v.cases.fromCameras)
    found.push(`${v.cases.fromCameras - v.cases.fromCamerasWithEvidence} camera cases have no evidence`);
  const slowest = v.latencyMs.sensors.max;
  if (slowest !== null && slowest > SENSOR_LATENCY_MS_MAX)
    found.push(`a sensor incident became a readable case after ${slowest} ms`);
  return found;
}
