export { ApiClient } from './api.ts';
export { storedCount, storedPoints } from './stored.ts';
export { type Usage, UsageWatch, type Watched } from './usage.ts';
export { CaseWatch } from './watch.ts';
