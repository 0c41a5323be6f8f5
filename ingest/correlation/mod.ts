export * from './join.ts';
export * from './keys.ts';
