export * from './desired.ts';
export { type SiteMistake, siteMistakes } from './mistakes.ts';
export * from './site.ts';
