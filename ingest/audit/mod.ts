export { type AuditDependencies, createAudit } from './audit.ts';
export * from './types.ts';
