export { assign } from './assign.ts';
export { breakDown, type Part } from './breakdown.ts';
export {
  type Answer,
  answersOf,
  type ClassScore,
  type Evaluation,
  evaluate,
  SIDE_PX_MIN,
  thresholdsFrom,
  VISIBLE_MIN,
} from './evaluate.ts';
export { type LabelledBox, type LabelledFolder, type LabelledPicture, readFolder } from './folder.ts';
export {
  atThreshold,
  averagePrecision,
  type Claim,
  COCO_IOUS,
  type Judged,
  type Matched,
  matchClass,
  scoreOfPrecision,
  type Truth,
  thresholdFor,
} from './precision.ts';
export { ModelRunner, type Pixels, readPicture } from './runner.ts';
export {
  addCounts,
  countTracks,
  IOU_SAME,
  scoresOf,
  type TrackCounts,
  type TrackedPicture,
  type TrackFound,
  type TrackScores,
  type TrackTruth,
} from './tracking.ts';
