export { EdgeKeys } from './keys.ts';
export { evidenceOfCase } from './proof.ts';
export { Releases } from './releases.ts';
export { createEvidenceStore, type EvidenceDependencies } from './store.ts';
export * from './types.ts';
