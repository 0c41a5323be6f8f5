export * from './client.ts';
export * from './files.ts';
export { type Link, useLink } from './link.ts';
export * from './live.ts';
export { renew, usePages } from './pages.ts';
export * from './queries.ts';
export * from './session.ts';
