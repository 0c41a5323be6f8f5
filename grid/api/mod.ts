export * from './answers.ts';
export * from './approvals.ts';
export * from './catalogue.ts';
export * from './desired.ts';
export * from './evidence.ts';
export * from './parts.ts';
export * from './situation.ts';
export * from './verdicts.ts';
