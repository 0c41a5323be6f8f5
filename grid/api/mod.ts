export * from './answers.ts';
export * from './desired.ts';
export * from './evidence.ts';
export * from './parts.ts';
