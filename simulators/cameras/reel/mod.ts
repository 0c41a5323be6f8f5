export { ReelCamera, type ReelCameraDeps } from './player.ts';
export { type Reel, type ReelPlan, recordReel } from './record.ts';
