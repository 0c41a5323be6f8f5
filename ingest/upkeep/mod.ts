export { UpkeepConfig } from './config.ts';
export { readMembers, subjectOf, thingsOf } from './cover.ts';
export { createUpkeepService, type UpkeepDependencies } from './service.ts';
export type { NewWindow, ThingUpkeep, UpkeepCaseFilter, UpkeepService } from './types.ts';
