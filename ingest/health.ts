import {
  type CandidateReport,
  type ConfigReport,
  type EdgeAuditReport,
  type HealthRecord,
  type HealthReport,
  type ModelReport,
  REPLAY_ACTIONS,
  replaySubject,
  type WatchReport,
} from '#grid/wire/mod.ts';
import type { EdgeTrails } from './audit/mod.ts';
import type { DeadLetterDesk } from './deadletters/mod.ts';
import type { DesiredService } from './desired/mod.ts';
import type { DeviceService } from './devices/mod.ts';
import type { HealthSink, Verdict } from './ports.ts';
import type { Trials } from './trials/mod.ts';

interface Parts {
  devices: Pick<DeviceService, 'accept'>;
  desired: Pick<DesiredService, 'reported' | 'heard'>;
  trails: Pick<EdgeTrails, 'accept'>;
  desk: Pick<DeadLetterDesk, 'answered'>;
  trials: Pick<Trials, 'reported'>;
}

/**
 * What becomes of the health lane.
 *
 *   states of edges, devices, cameras --> devices
 *   lines of the edges' own trails    --> audit;     and what became of a payload that was replayed: dead letters
 *   reports on candidates in shadow   --> trials
 *   reports on configurations, models --> desired;   and each sign of a node: is there a revision that it has not judged?
 */
export function createHealthSink({ devices, desired, trails, desk, trials }: Parts): HealthSink {
  return {
    async accept(records: readonly HealthReport[]): Promise<Verdict[]> {
      const isConfig = (r: HealthReport): r is ConfigReport | ModelReport => r.of === 'config' || r.of === 'model';
      const isAudit = (r: HealthReport): r is EdgeAuditReport => r.of === 'audit';
      const isTrial = (r: HealthReport): r is CandidateReport | WatchReport => r.of === 'candidate' || r.of === 'watch';
      const isState = (r: HealthReport): r is HealthRecord => !isConfig(r) && !isAudit(r) && !isTrial(r);
      const [reports, lines, states] = [records.filter(isConfig), records.filter(isAudit), records.filter(isState)];
      const ofReports = reports.length === 0 ? [] : await desired.reported(reports);
      const ofLines = lines.length === 0 ? [] : await trails.accept(lines);
      for (const line of lines) await tellReplay(line, desk);
      const onTrials = records.filter(isTrial);
      const ofTrials = onTrials.length === 0 ? [] : await trials.reported(onTrials);
      const ofStates = states.length === 0 ? [] : await devices.accept(states);
      await desired.heard(states.filter(({ of }) => of === 'edge'));
      const verdicts = {
        config: ofReports.values(),
        audit: ofLines.values(),
        trial: ofTrials.values(),
        state: ofStates.values(),
      };
      const kindOf = (r: HealthReport) => (isConfig(r) ? 'config' : isAudit(r) ? 'audit' : isTrial(r) ? 'trial' : 'state');
      return records.map((r) => verdicts[kindOf(r)].next().value as Verdict);
    },
  };
}

const PREFIX = replaySubject('');

async function tellReplay({ entry: { action, subject, reason } }: EdgeAuditReport, desk: Parts['desk']): Promise<void> {
  if (!subject.startsWith(PREFIX)) return;
  const letter = subject.slice(PREFIX.length);
  if (action === REPLAY_ACTIONS.taken) await desk.answered(letter, null);
  else if (action === REPLAY_ACTIONS.refused) await desk.answered(letter, reason ?? '');
}
