export * from './distance.ts';
export * from './join.ts';
export * from './keys.ts';
