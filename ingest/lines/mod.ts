export * from './block.ts';
export * from './scan.ts';
