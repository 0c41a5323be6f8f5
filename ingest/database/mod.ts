export * from './channel.ts';
export * from './config.ts';
export { createDatabase } from './create.ts';
export { pageOf, readCursor } from './cursor.ts';
export * from './database.ts';
export { isPoison } from './failures.ts';
export * from './schema.ts';
