import type { ConfigReport, HealthRecord, HealthReport } from '#grid/wire/mod.ts';
import type { DesiredService } from './desired/mod.ts';
import type { DeviceService } from './devices/mod.ts';
import type { HealthSink, Verdict } from './ports.ts';

interface Parts {
  devices: Pick<DeviceService, 'accept'>;
  desired: Pick<DesiredService, 'reported' | 'heard'>;
}

/**
 * What becomes of the health lane.
 *
 *   states of edges, devices, cameras --> devices
 *   reports on configurations         --> desired;   and each sign of a node: is there a revision that it has not judged?
 */
export function createHealthSink({ devices, desired }: Parts): HealthSink {
  return {
    async accept(records: readonly HealthReport[]): Promise<Verdict[]> {
      const isConfig = (r: HealthReport): r is ConfigReport => r.of === 'config';
      const isState = (r: HealthReport): r is HealthRecord => r.of !== 'config';
      const [reports, states] = [records.filter(isConfig), records.filter(isState)];
      const ofReports = reports.length === 0 ? [] : await desired.reported(reports);
      const ofStates = states.length === 0 ? [] : await devices.accept(states);
      await desired.heard(states.filter(({ of }) => of === 'edge'));
      const [config, state] = [ofReports.values(), ofStates.values()];
      return records.map((r) => (isConfig(r) ? config : state).next().value as Verdict);
    },
  };
}
