export { type CameraAddress, streamUrl } from './address.ts';
export { toInput } from './arguments.ts';
export type { Candidate } from './candidates.ts';
export type { CameraChange, CameraPipeline, CameraPipelineDeps, CameraPipelineStats } from './contract.ts';
export type { FullPicture } from './full_picture.ts';
export type { Looked, LookListener } from './lookout.ts';
export { createCameraPipeline } from './pipeline.ts';
