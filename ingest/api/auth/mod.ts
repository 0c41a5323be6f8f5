export * from './authenticate.ts';
export * from './edges.ts';
export * from './roles.ts';
export * from './tokens.ts';
