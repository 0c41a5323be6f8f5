export { createDesiredService, type DesiredDependencies } from './service.ts';
export * from './types.ts';
