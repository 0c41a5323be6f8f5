export * from './answers.ts';
export * from './desired.ts';
