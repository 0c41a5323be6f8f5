export { PromotionConfig } from './config.ts';
export { type PromotionDependencies, Promotions } from './promotions.ts';
export { createTrials, type Trials } from './trials.ts';
