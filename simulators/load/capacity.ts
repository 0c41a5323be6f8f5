import { judgeRun, type RunReport } from '../report/mod.ts';

/** The highest rate that an installation bore, and what gave way above it. */
export interface Capacity {
  /** Acknowledged and stored, of the last good step. */
  readingsPerS: number;
  /** Incidents that became cases, a second of it. */
  eventsPerS: number;
  edges: number;
  devices: number;
  /** The threshold that broke first at the next step; `none` when the highest rate that was tried was borne. */
  limitedBy: string;
}

export interface CapacitySearch {
  /** One step: all devices report so often a minute. */
  play(perDevicePerMin: number): Promise<RunReport>;
  /** The first step. */
  fromPerMin: number;
  toPerMin: number;
  /** Ends when the last good and the first bad rate are so near to each other. */
  ratio: number;
  onStep?(step: { perDevicePerMin: number; brokenBy: string | null; readingsPerS: number }): void;
}

/** Of what fell due, acknowledged before the end of the load: less is no steady state. */
const KEPT_UP_SHARE = 0.95;

/**
 * Doubles the rate until a threshold breaks, then halves the gap. Throws RangeError when not even the first step is borne.
 */
export async function searchCapacity({ play, fromPerMin, toPerMin, ratio, onStep }: CapacitySearch): Promise<Capacity> {
  let [good, bad]: [{ perMin: number; report: RunReport } | null, { perMin: number; by: string } | null] = [null, null];
  for (let perMin = fromPerMin; ; ) {
    const report = await play(perMin);
    const by = brokenBy(report);
    onStep?.({ perDevicePerMin: perMin, brokenBy: by, readingsPerS: perS(report) });
    if (by === null) good = { perMin, report };
    else bad = { perMin, by };
    if (bad === null && perMin < toPerMin) perMin = Math.min(toPerMin, 2 * perMin);
    else if (good === null || bad === null || bad.perMin / good.perMin <= ratio) break;
    else perMin = Math.sqrt(good.perMin * bad.perMin);
  }
  if (good === null) throw new RangeError(`not even ${fromPerMin} reports of a device a minute are borne: ${bad?.by}`);
  const { report } = good;
  const detected = report.incidents.filter((i) => i.outcome === 'detected').length;
  return {
    readingsPerS: Math.round(perS(report)),
    eventsPerS: Math.round((100 * detected) / report.durationS) / 100,
    edges: report.city.edges,
    devices: report.city.devices,
    limitedBy: bad?.by ?? 'none',
  };
}

function perS({ readings, durationS }: RunReport): number {
  return readings.stored / durationS;
}

/** The first threshold that broke; that the generator was too slow comes before all others, because it says why. */
function brokenBy(report: RunReport): string | null {
  const { valid, checks } = judgeRun(report);
  if (!valid) return 'generator';
  const broken = checks.find((c) => !c.holds);
  if (broken !== undefined) return broken.name;
  const [due, acked] = [report.curve.reduce((sum, s) => sum + s.due, 0), report.curve.reduce((sum, s) => sum + s.acked, 0)];
  return acked < KEPT_UP_SHARE * due ? 'throughput' : null;
}
