export { createEvidenceStore, type EvidenceDependencies } from './store.ts';
export * from './types.ts';
