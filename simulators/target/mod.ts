export { ApiClient } from './api.ts';
export { storedCount, storedPoints } from './stored.ts';
export { type Usage, UsageWatch } from './usage.ts';
export { CaseWatch } from './watch.ts';
