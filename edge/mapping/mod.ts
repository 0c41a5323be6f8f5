export * from './mappings.ts';
