export { type Account, accountFault } from '../../sessions/mod.ts';
export * from './authenticate.ts';
export * from './edges.ts';
export * from './roles.ts';
export * from './sessions.ts';
export * from './tokens.ts';
