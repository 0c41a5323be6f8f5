export { createNews, type NewsDependencies } from './news.ts';
export * from './types.ts';
