export { assign } from './assign.ts';
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
