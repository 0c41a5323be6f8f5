import type { Case } from '#grid/mod.ts';
import { type CameraStats, matchIncidents, percentiles, type Truth } from '#simulators/mod.ts';

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
  truth: readonly Truth[];
  cases: readonly Case[];
  /** UTC ms, by case id. */
  readableAt: ReadonlyMap<string, number>;
  /** Cases whose evidence could be fetched with the right hash. */
  withEvidence: ReadonlySet<string>;
  cameras: CameraStats;
}

export function judge(seen: Observed): Verdict {
  const ofSensors = bySource(seen, 'sensor');
  const ofCameras = bySource(seen, 'camera');
  const fromCameras = seen.cases.filter((c) => c.source === 'camera');
  return {
    readings: { sent: seen.sent, stored: seen.stored },
    incidents: { sensors: ofSensors.counts, cameras: ofCameras.counts },
    cases: {
      opened: seen.cases.length,
      fromCameras: fromCameras.length,
      fromCamerasWithEvidence: fromCameras.filter((c) => seen.withEvidence.has(c.id)).length,
    },
    latencyMs: { sensors: percentiles(ofSensors.latencies), cameras: percentiles(ofCameras.latencies) },
    cameras: seen.cameras,
  };
}

function bySource({ truth, cases, readableAt }: Observed, source: 'sensor' | 'camera') {
  const staged = truth.filter((t) => t.source === source);
  const { pairs, missed, falseAlarms } = matchIncidents(
    staged,
    cases.filter((c) => c.source === source),
  );
  const latencies = pairs.flatMap(({ truth: t, case: c }) => {
    const at = readableAt.get(c.id);
    return at === undefined ? [] : [at - (t.standsFrom + t.confirmS * 1000)];
  });
  return {
    counts: { staged: staged.length, detected: pairs.length, missed: missed.length, falseAlarms: falseAlarms.length },
    latencies,
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
