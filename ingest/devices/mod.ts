export * from './registry.ts';
export * from './service.ts';
export * from './types.ts';
