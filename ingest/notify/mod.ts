export { NotifyConfig } from './config.ts';
export { createNotifyService, type NotifyDependencies } from './service.ts';
export { createSources } from './sources.ts';
export * from './types.ts';
