export * from './build.ts';
export * from './event.ts';
