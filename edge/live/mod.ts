export { EdgeLiveConfig } from './config.ts';
export { type LiveDeps, LiveViews } from './live.ts';
export type { RawViewAct, RawViewTrail } from './raw_views.ts';
