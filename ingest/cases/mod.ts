export { rolesFault } from './duties.ts';
export { type CaseServiceDependencies, createCaseService } from './service.ts';
export { TRANSITIONS } from './transitions/mod.ts';
export * from './types.ts';
