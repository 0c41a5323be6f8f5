export * from './grant.ts';
export * from './manifest.ts';
