export * from './desk.ts';
export * from './store.ts';
export * from './types.ts';
