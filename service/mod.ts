export * from './chain.ts';
export * from './clock.ts';
export * from './config.ts';
export * from './errors.ts';
export * from './lifecycle.ts';
export * from './linger.ts';
export * from './log.ts';
export * from './metrics.ts';
