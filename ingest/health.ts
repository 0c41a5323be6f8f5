import type { ConfigReport, EdgeAuditReport, HealthRecord, HealthReport, ModelReport } from '#grid/wire/mod.ts';
import type { EdgeTrails } from './audit/mod.ts';
import type { DesiredService } from './desired/mod.ts';
import type { DeviceService } from './devices/mod.ts';
import type { HealthSink, Verdict } from './ports.ts';

interface Parts {
  devices: Pick<DeviceService, 'accept'>;
  desired: Pick<DesiredService, 'reported' | 'heard'>;
  trails: Pick<EdgeTrails, 'accept'>;
}

/**
 * What becomes of the health lane.
 *
 *   states of edges, devices, cameras --> devices
 *   lines of the edges' own trails    --> audit
 *   reports on configurations, models --> desired;   and each sign of a node: is there a revision that it has not judged?
 */
export function createHealthSink({ devices, desired, trails }: Parts): HealthSink {
  return {
    async accept(records: readonly HealthReport[]): Promise<Verdict[]> {
      const isConfig = (r: HealthReport): r is ConfigReport | ModelReport => r.of === 'config' || r.of === 'model';
      const isAudit = (r: HealthReport): r is EdgeAuditReport => r.of === 'audit';
      const isState = (r: HealthReport): r is HealthRecord => !isConfig(r) && !isAudit(r);
      const [reports, lines, states] = [records.filter(isConfig), records.filter(isAudit), records.filter(isState)];
      const ofReports = reports.length === 0 ? [] : await desired.reported(reports);
      const ofLines = lines.length === 0 ? [] : await trails.accept(lines);
      const ofStates = states.length === 0 ? [] : await devices.accept(states);
      await desired.heard(states.filter(({ of }) => of === 'edge'));
      const verdicts = { config: ofReports.values(), audit: ofLines.values(), state: ofStates.values() };
      const kindOf = (r: HealthReport) => (isConfig(r) ? 'config' : isAudit(r) ? 'audit' : 'state');
      return records.map((r) => verdicts[kindOf(r)].next().value as Verdict);
    },
  };
}
