export * from './threshold.ts';
export * from './zone.ts';
