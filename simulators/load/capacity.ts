import type { PlayedCity } from '../city/mod.ts';
import { type Check, judgeRun, type RunReport } from '../report/mod.ts';
import type { Scenario } from '../scenarios/mod.ts';

/** The highest rate that an installation bore, and what gave way above it. */
export interface Capacity {
  /** Acknowledged and stored, of the last good step. */
  readingsPerS: number;
  /** Revisions of events that the centre stored, a second of it; null where nobody counts them. */
  eventsPerS: number | null;
  edges: number;
  devices: number;
  /** The threshold that broke first at the next step; `none` when the highest rate that was tried was borne. */
  limitedBy: string;
}

export interface CapacitySearch {
  /** Step `step`, from 0: all devices report so often a minute. Other steps stage other incidents, or their cases are open already. */
  play(perDevicePerMin: number, step: number): Promise<RunReport>;
  /** The first step. */
  fromPerMin: number;
  toPerMin: number;
  /** Ends when the last good and the first bad rate are so near to each other. */
  ratio: number;
  onStep?(step: { perDevicePerMin: number; broken: Broken | null; readingsPerS: number }): void;
}

/** What gave way, and what was measured of it against which limit. */
export type Broken = Pick<Check, 'name' | 'limit' | 'measured'>;

/** Of what fell due, acknowledged before the end of the load: less is no steady state. */
const KEPT_UP_SHARE = 0.95;

/** What limits a search that was stopped before a threshold broke. */
const INTERRUPTED = 'interrupted';

/**
 * Doubles the rate until a threshold breaks, then halves the gap. Half a step says nothing: one that was
 * interrupted ends the search. Throws RangeError when not even the first step is borne.
 */
export async function searchCapacity({ play, fromPerMin, toPerMin, ratio, onStep }: CapacitySearch): Promise<Capacity> {
  let [good, bad]: [{ perMin: number; report: RunReport } | null, { perMin: number; by: string } | null] = [null, null];
  for (let [perMin, step] = [fromPerMin, 0]; ; step++) {
    const report = await play(perMin, step);
    if (report.interrupted) {
      bad ??= { perMin, by: INTERRUPTED };
      break;
    }
    const broken = brokenOf(report);
    onStep?.({ perDevicePerMin: perMin, broken, readingsPerS: perS(report) });
    if (broken === null) good = { perMin, report };
    else bad = { perMin, by: broken.name };
    if (bad === null && perMin < toPerMin) perMin = Math.min(toPerMin, 2 * perMin);
    else if (good === null || bad === null || bad.perMin / good.perMin <= ratio) break;
    else perMin = Math.sqrt(good.perMin * bad.perMin);
  }
  if (good === null) throw new RangeError(`not even ${fromPerMin} reports of a device a minute are borne: ${bad?.by}`);
  const { report } = good;
  const { stored } = report.events;
  return {
    readingsPerS: Math.round(perS(report)),
    eventsPerS: stored === null ? null : Math.round((100 * stored) / report.durationS) / 100,
    edges: report.city.edges,
    devices: report.city.devices,
    limitedBy: bad?.by ?? 'none',
  };
}

/** Of the devices of a kind, so many are in an incident at most: the others are the load. */
const IN_INCIDENTS_SHARE = 0.25;

/** A step of a search: a steady load, and incidents of single devices so many times as often as the scenario says, as far as there are devices for them. */
export function stepOf(
  scenario: Scenario,
  { edges }: PlayedCity,
  step: { perDevicePerMin: number; forS: number; times: number },
): Scenario {
  const { perDevicePerMin, forS, times } = step;
  const incidents = scenario.incidents.map((incident) => {
    if (incident.what !== 'device-fault') return incident;
    const { kind, perMin, from = 0, to = 1 } = incident;
    const devices = edges.reduce((sum, e) => sum + e.devices.filter((d) => d.kind === kind).length, 0);
    const most = (60 * IN_INCIDENTS_SHARE * devices) / ((to - from) * forS);
    return { ...incident, perMin: Math.min(perMin * times, Math.max(perMin, most)) };
  });
  return { ...scenario, incidents, stages: [{ kind: 'steady', forS, perDevicePerMin }] };
}

function perS({ readings, durationS }: RunReport): number {
  return readings.stored / durationS;
}

/**
 * The first threshold that broke; that the generator was too slow comes before all others, because it says why. What could
 * not be measured in a short step (no incident fell due) says nothing of the load; a step in which nothing was acknowledged
 * has kept up with nothing.
 */
function brokenOf(report: RunReport): Broken | null {
  const { valid, checks } = judgeRun(report);
  const lag = checks.find((c) => c.name === 'generatorLagP99Ms');
  if (!valid) return { name: 'generator', limit: report.limits.lagP99MsMax, measured: lag?.measured ?? null };
  const broken = checks.find((c) => !c.holds && c.measured !== null);
  if (broken !== undefined) return broken;
  const [due, acked] = [report.curve.reduce((sum, s) => sum + s.due, 0), report.curve.reduce((sum, s) => sum + s.acked, 0)];
  const share = due === 0 ? 0 : acked / due;
  return share < KEPT_UP_SHARE ? { name: 'throughput', limit: KEPT_UP_SHARE, measured: share } : null;
}
