export * from './broker.ts';
export * from './client.ts';
export * from './config.ts';
export { TokenBucket } from './guard.ts';
export { serverTlsOptions } from './tls.ts';
