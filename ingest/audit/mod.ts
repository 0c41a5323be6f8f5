export { type AuditDependencies, createAudit } from './audit.ts';
export { EdgeTrails } from './edges.ts';
export * from './types.ts';
