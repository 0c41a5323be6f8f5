export * from './command.ts';
export * from './config.ts';
export * from './frame.ts';
export * from './health.ts';
export * from './line.ts';
export * from './live.ts';
export * from './records.ts';
export * from './topics.ts';
