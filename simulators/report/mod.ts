export { compareReports, type Difference } from './compare.ts';
export { Histogram, type HistogramCounts } from './histogram.ts';
export { reportHtml } from './html.ts';
export { incidentOutcomes, type Staging } from './incidents.ts';
export * from './latency.ts';
export { addUp, type Comparison, compareDevice, Ledger, type StoredSample } from './ledger.ts';
export * from './match.ts';
export { mergeReports } from './merge.ts';
export {
  type Check,
  type DeviceTrouble,
  type IncidentOutcome,
  judgeRun,
  type RunReport,
  type Second,
  type Verdict,
} from './outcome.ts';
export * from './truth.ts';
