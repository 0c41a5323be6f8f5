export * from './engine.ts';
export * from './threshold.ts';
export * from './watch.ts';
