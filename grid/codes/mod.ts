export * from './case.ts';
export * from './cell.ts';
export * from './component.ts';
export * from './division.ts';
export * from './event.ts';
