export * from './limits.ts';
export * from './missing.ts';
export * from './plausibility.ts';
export * from './schedule.ts';
export * from './threshold.ts';
export * from './zone.ts';
