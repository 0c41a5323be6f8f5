export { createGrants, type GrantDependencies } from './grants.ts';
export * from './types.ts';
