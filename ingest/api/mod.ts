export {
  createToken,
  EdgeCredentials,
  type FixedToken,
  type NewToken,
  sha256Of,
  type TokenInfo,
} from './auth/mod.ts';
export * from './config.ts';
export * from './readiness.ts';
export { type Api, type ApiDependencies, createApi } from './server.ts';
export { StreamHub } from './stream.ts';
