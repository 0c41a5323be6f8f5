export { ApiClient } from './api.ts';
export { type StoredEvent, storedEvents } from './events.ts';
export { metricOf, readMetrics, type Watched } from './metrics.ts';
export { storedCount, storedPoints } from './stored.ts';
export { type Usage, UsageWatch, usageOf } from './usage.ts';
export { CaseWatch, openCases } from './watch.ts';
