export { UpkeepConfig } from './config.ts';
export { createUpkeepService, type UpkeepDependencies } from './service.ts';
export type { NewWindow, ThingUpkeep, UpkeepCaseFilter, UpkeepService } from './types.ts';
