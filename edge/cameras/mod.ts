export { type CameraAddress, streamUrl } from './address.ts';
export { toInput } from './arguments.ts';
export type { Candidate } from './candidates.ts';
export type { FullPicture } from './full_picture.ts';
export type { Looked, LookListener } from './lookout.ts';
export {
  type CameraChange,
  type CameraPipeline,
  type CameraPipelineDeps,
  type CameraPipelineStats,
  createCameraPipeline,
} from './pipeline.ts';
