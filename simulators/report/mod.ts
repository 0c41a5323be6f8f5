export { type CompareResult, compareReports, type Difference } from './compare.ts';
export { type Altered, addUpContent, type Content, compareContent, type SentReading } from './content.ts';
export { addUpEvents, compareEvents, type EventCounts, type EventTold, noEvents } from './events.ts';
export { Histogram, type HistogramCounts } from './histogram.ts';
export { reportHtml } from './html.ts';
export { incidentOutcomes, type Staging } from './incidents.ts';
export * from './latency.ts';
export { addUp, type Comparison, compareDevice, Ledger, type StoredSample } from './ledger.ts';
export * from './match.ts';
export { addUpLetters, mergeReports } from './merge.ts';
export {
  type Check,
  type DeviceTrouble,
  type IncidentOutcome,
  isWhole,
  judgeRun,
  type RunReport,
  type Second,
  type Verdict,
} from './outcome.ts';
export * from './truth.ts';
export { unsaid } from './used.ts';
