export * from './engine.ts';
export { LATE_MS } from './late.ts';
export * from './threshold.ts';
