export * from './latency.ts';
export * from './match.ts';
export * from './truth.ts';
