export * from './broker.ts';
export * from './client.ts';
export * from './config.ts';
