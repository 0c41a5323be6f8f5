export * from './grant.ts';
export * from './manifest.ts';
export * from './overlay.ts';
