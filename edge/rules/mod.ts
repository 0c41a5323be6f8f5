export * from './engine.ts';
export * from './threshold.ts';
