export * from './cases/mod.ts';
export * from './devices/mod.ts';
export * from './events/mod.ts';
export * from './ids.ts';
export * from './place.ts';
export * from './readings/mod.ts';
export * from './rules/mod.ts';
export * from './site/mod.ts';
